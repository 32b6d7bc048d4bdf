// `npm start`, `npm run stop|status|reset|dev`.
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { emptyHome, holdsAnything, homeAt } from './home/home.ts';
import { lockHolder } from './home/lock.ts';
import { stackStatus } from './platform/status.ts';
import { stopPlatform } from './platform/stop-platform.ts';
import { consoleReporter } from './report.ts';
import { readSettings, type StackSettings } from './settings.ts';
import { StackError } from './stack-error.ts';

const usage = `usage: npm start [-- --servers] [--dist] [--port-offset N]
       npm run dev | stop | status | reset [-- --yes]`;

async function main(): Promise<number> {
  const { command, options } = parse(process.argv.slice(2));
  const checkout = path.resolve(options.checkout ?? path.join(import.meta.dirname, '../../..'));
  const settings = readSettings(checkout, process.env, Number(options['port-offset'] ?? 0));
  const reporter = consoleReporter();
  switch (command) {
    case 'start':
    case 'dev': {
      const mode = options.dist === true ? 'dist' : 'source';
      const watching = command === 'dev';
      // Loads the drivers of three servers, for which the other commands need not wait, and this one a little less.
      enableCompileCache(settings.compiled);
      const { runCommand } = await import('./platform/run-command.ts');
      return runCommand({ settings, reporter, mode, watching, serversOnly: options.servers ?? false });
    }
    case 'stop':
      await stopPlatform(settings.home, (text) => reporter.say(text));
      return 0;
    case 'status': {
      const { healthy, text } = stackStatus(settings.home);
      reporter.say(text);
      return healthy ? 0 : 1;
    }
    case 'reset':
      return reset(settings, options.yes ?? false, (text) => reporter.say(text));
    default:
      throw new StackError(usage);
  }
}

function parse(args: readonly string[]) {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        servers: { type: 'boolean' },
        dist: { type: 'boolean' },
        yes: { type: 'boolean' },
        'port-offset': { type: 'string' },
        checkout: { type: 'string' },
      },
    });
    if (positionals.length !== 1) throw new StackError(usage);
    return { command: positionals[0], options: values };
  } catch (error) {
    if (error instanceof StackError) throw error;
    throw new StackError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

async function reset(settings: StackSettings, isSure: boolean, say: (text: string) => void): Promise<number> {
  const home = homeAt(settings.home);
  const running = lockHolder(home.lock);
  if (running !== undefined) {
    throw new StackError(`pid ${running.holder.pid} is running there (${running.address}): npm run stop first`);
  }
  if (!holdsAnything(home)) {
    say(`there is nothing in ${home.dir}`);
    return 0;
  }
  if (!isSure && !(await confirmed(`All data, logs and secrets in ${home.dir} will be gone. Go on? (yes/no) `))) {
    say('nothing was removed');
    return 1;
  }
  await stopPlatform(settings.home, () => undefined);
  emptyHome(home);
  say(`${home.dir} is empty; the next start makes everything anew`);
  return 0;
}

/** Without a terminal there is nobody to ask, and the answer is no. */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new StackError('there is no terminal to ask at: say so with npm run reset -- --yes');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(question)).trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}

try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exit(1);
}
