import { SettingsError } from '@causeway/service';

import { auditVerify } from './audit-commands.ts';
import { UsageError } from './command.ts';
import type { Command, Environment, Ran } from './command.ts';
import { masterKeyCommands } from './master-key-commands.ts';

/** All that can be asked for. */
const commands: readonly Command[] = [auditVerify, ...masterKeyCommands];

const usage = `usage: npm run auth -- <command>

${commands.map((command) => command.usage).join('\n')}

MONGODB_URL and AUTH_DATABASE say where the database is, CAUSEWAY_MASTER_KEY which key is used now; each key may be in a file instead:
CAUSEWAY_MASTER_KEY_FILE, CAUSEWAY_MASTER_KEY_NEXT_FILE. Ends with 0; with 1 where it was not done, or something is wrong; with 2 where
it is not understood.`;

/**
 * What an operator does with auth's database: `npm run auth -- <command>`.
 *
 * @param args - of the command line
 * @param environment - where the database is, and what else a command needs
 */
export async function runAuthCli(args: readonly string[], environment: Environment): Promise<Ran> {
  const command = commands.find(({ name }) => name === args.slice(0, 2).join(' '));
  if (command === undefined) return { status: 2, text: usage };
  try {
    return await command.run(args.slice(2), environment);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UsageError) return { status: 2, text: `${message}\n\n${usage}` };
    return { status: 1, text: error instanceof SettingsError ? message : `it was not done: ${message}` };
  }
}
