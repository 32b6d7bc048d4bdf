import { commitmentOf, hashOf } from './audit-entry.ts';
import type { AuditEntry, AuditPlace } from './audit-entry.ts';

/** What is wrong with a chain, at the first place where something is. */
export interface AuditBreak extends AuditPlace {
  readonly what: AuditFault;
}

/** What may be wrong with an entry, or be missing. */
export type AuditFault =
  'missing' | 'changed' | 'relinked' | 'personal-changed' | 'forgotten' | 'cut-off' | 'made-anew' | 'beyond-head';

/** For a person. */
export const faultWords: Readonly<Record<AuditFault, string>> = {
  missing: 'is not there, and later entries are',
  changed: 'is not what it was when it was written',
  relinked: 'does not follow the entry before it: one of the two was written anew, or another stood between them',
  'personal-changed': 'tells of a person what was not written',
  forgotten: 'has lost what it told of a person who has not been erased',
  'cut-off': 'is not there, and the chain is known to have been longer',
  'made-anew': 'is not the one that was sealed',
  'beyond-head': 'stands behind the end of its chain',
};

/** Where a chain stands, or stood. */
export interface AuditMark {
  readonly seq: number;
  readonly hash: string;
}

/** What is known of a chain beside its entries. */
export interface KnownOfChain {
  readonly chain: number;
  /** Of the database, as of before the entries are read. */
  readonly head: AuditMark | undefined;
  /** What was told to the world. */
  readonly seals: readonly AuditMark[];
  /** The first entry that is looked at; 1 if nothing else is said. What is before it is believed. */
  readonly from?: number;
  readonly isErased: (accountId: string) => Promise<boolean>;
}

/** What came of looking at a chain. */
export interface VerifiedChain {
  readonly chain: number;
  /** Entries that were looked at and are sound. */
  readonly entries: number;
  /** Entries of people who are erased. */
  readonly forgotten: number;
  readonly last: AuditMark | undefined;
  readonly broken?: AuditBreak;
}

const faultOf = (entry: AuditEntry, seq: number, prev: string | undefined): AuditFault | undefined => {
  if (entry._id.seq !== seq) return 'missing';
  if (prev !== undefined && entry.prev !== prev) return 'relinked';
  if (hashOf(entry) !== entry.hash) return 'changed';
  const { personal, salt, commitment } = entry;
  if (personal === undefined) return undefined;
  return salt !== undefined && commitmentOf(personal, salt) === commitment ? undefined : 'personal-changed';
};

/**
 * Looks through a chain, up to the first thing that is wrong.
 *
 * @param entries - from `from` on, up to the head, in order
 */
export const verifyChain = async (
  entries: AsyncIterable<AuditEntry> | Iterable<AuditEntry>,
  { chain, head, seals, from = 1, isErased }: KnownOfChain,
): Promise<VerifiedChain> => {
  let [count, forgotten, seq] = [0, 0, from - 1];
  let prev = from === 1 ? '' : undefined;
  const result = (what?: AuditFault, at = seq): VerifiedChain => ({
    ...{ chain, entries: count, forgotten },
    last: count === 0 || prev === undefined ? undefined : { seq, hash: prev },
    ...(what !== undefined && { broken: { chain, seq: at, what } }),
  });
  for await (const entry of entries) {
    const fault = faultOf(entry, seq + 1, prev);
    if (fault !== undefined) return result(fault, seq + 1);
    if (seals.some((seal) => seal.seq === entry._id.seq && seal.hash !== entry.hash))
      return result('made-anew', seq + 1);
    if (entry.personal === undefined && entry.commitment !== undefined) {
      if (entry.accountId === undefined || !(await isErased(entry.accountId))) return result('forgotten', seq + 1);
      forgotten += 1;
    }
    count += 1;
    seq += 1;
    prev = entry.hash;
  }
  const longest = Math.max(head?.seq ?? 0, ...seals.map((seal) => seal.seq));
  if (longest > seq) return result('cut-off', seq + 1);
  // Nothing is as it was written where the end alone was written anew, with the entry that it names.
  if (head?.seq === seq && prev !== undefined && head.hash !== prev) return result('made-anew');
  return result();
};
