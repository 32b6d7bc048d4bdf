import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { auditSealed } from '@causeway/contracts';

import type { AuditPlace } from '../audit/audit-entry.ts';
import { verifyAudit } from '../audit/verify-audit.ts';
import type { AuditSeal } from '../audit/verify-audit.ts';
import { faultWords } from '../audit/verify-chain.ts';
import type { VerifiedChain } from '../audit/verify-chain.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { withDatabase } from './with-database.ts';

const optionsOf = (args: readonly string[]) => {
  try {
    const options = { from: { type: 'string' }, seals: { type: 'string' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const placeOf = (text: string | undefined): AuditPlace | undefined => {
  if (text === undefined) return undefined;
  const [, chain, seq] = /^(\d{1,5}):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (chain === undefined || seq === undefined) {
    throw new UsageError(`--from is a chain and the number of an entry, such as 3:1200, not ${text}`);
  }
  return { chain: Number(chain), seq: Number(seq) };
};

const sealOf = (file: string, line: string, index: number): AuditSeal[] => {
  try {
    const { type, data } = JSON.parse(line) as { readonly type?: unknown; readonly data?: unknown };
    return type === auditSealed.type ? [auditSealed.schema.parse(data)] : [];
  } catch {
    throw new UsageError(`line ${index + 1} of ${file} is no event in JSON`);
  }
};

const sealsOf = async (file: string | undefined): Promise<AuditSeal[]> => {
  if (file === undefined) return [];
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : sealOf(file, line, index)));
};

const wordsOf = ({ chain, entries, forgotten, broken }: VerifiedChain): string => {
  const erased = forgotten === 0 ? '' : `, ${forgotten} of them of people who are erased`;
  const sound = `chain ${chain}: ${entries} ${entries === 1 ? 'entry' : 'entries'} sound${erased}`;
  return broken === undefined ? sound : `${sound}; BROKEN at ${chain}:${broken.seq}, which ${faultWords[broken.what]}`;
};

/** `audit verify` */
export const auditVerify: Command = {
  name: 'audit verify',
  usage: `  audit verify        looks through the audit, and says of each chain where it is broken first: an entry that is missing, changed,
                      moved, written anew or cut off; ends with 1 then
                      --from <chain>:<entry>   one chain from an entry on; what is before it is believed
                      --seals <file>           auth.audit.sealed events in JSON, one a line, that were kept where nobody who writes to
                                               the database can change them: npm run events -- tail --type auth.audit.sealed --json`,
  async run(args, environment) {
    const options = optionsOf(args);
    const from = placeOf(options.from);
    const seals = await sealsOf(options.seals);
    return withDatabase(environment, async (db) => {
      const chains: VerifiedChain[] = [];
      for await (const chain of verifyAudit({ db, from, seals })) chains.push(chain);
      const isBroken = chains.some(({ broken }) => broken !== undefined);
      return { status: isBroken ? 1 : 0, text: chains.map(wordsOf).join('\n') || 'there are no entries' };
    });
  },
};
