import { auditSealed } from '@causeway/contracts';
import type { DataOf } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { AuditPlace } from './audit-entry.ts';
import { auditCollections, auditSealsCollection } from './audit.model.ts';
import type { AuditCollections, AuditHead } from './audit.model.ts';
import { verifyChain } from './verify-chain.ts';
import type { AuditMark, VerifiedChain } from './verify-chain.ts';

/** Where a chain stood once, as an event told it. */
export type AuditSeal = Pick<DataOf<typeof auditSealed>, 'chain' | 'seq' | 'hash'>;

/** What to look at. */
export interface VerifyAudit {
  readonly db: Db;
  /** One chain alone, from an entry on; what is before it is believed. */
  readonly from?: AuditPlace | undefined;
  /** Seals that were kept elsewhere, where nobody who can write to the database can change them. */
  readonly seals?: readonly AuditSeal[];
}

const highest = Number.MAX_SAFE_INTEGER;

/** The chains that there are entries, heads or seals of. */
const chainsOf = async (
  { entries }: AuditCollections,
  others: readonly { readonly chain: number }[],
): Promise<number[]> => {
  const found = new Set(others.map(({ chain }) => chain));
  for (let chain = -1; ;) {
    const next = await entries.findOne({ _id: { $gt: { chain, seq: highest } } }, { sort: { _id: 1 } });
    if (next === null) return [...found].sort((a, b) => a - b);
    ({ chain } = next._id);
    found.add(chain);
  }
};

/** What the database itself remembers of what was told. */
const sealsIn = async (db: Db): Promise<AuditSeal[]> => {
  const last = db
    .collection<{ _id: string } & AuditMark>(auditSealsCollection)
    .find({}, { projection: { seq: 1, hash: 1 } });
  const logged = db
    .collection<{ event: { data: AuditSeal } }>('events')
    .find({ 'event.type': auditSealed.type }, { projection: { 'event.data': 1 } });
  return [
    ...(await last.toArray()).map(({ _id, seq, hash }) => ({ chain: Number(_id), seq, hash })),
    ...(await logged.toArray()).map(({ event: { data } }) => data),
  ];
};

/**
 * Looks through the audit, chain by chain; of each up to the first thing that is wrong. Entries may be appended meanwhile.
 *
 * @returns a result a chain, as it is found
 */
export async function* verifyAudit({ db, from, seals: others = [] }: VerifyAudit): AsyncGenerator<VerifiedChain> {
  const collections = auditCollections(db);
  const { entries, heads } = collections;
  const persons = db.collection<{ _id: string; erasedAt?: Date }>('persons');
  const isErased = async (_id: string): Promise<boolean> =>
    (await persons.findOne({ _id, erasedAt: { $exists: true } }, { projection: { _id: 1 } })) !== null;
  // What was told before is in the heads by now.
  const seals = [...(await sealsIn(db)), ...others];
  const allHeads = await heads.find().toArray();
  const known = [...seals, ...allHeads.map(({ _id: chain }) => ({ chain }))];

  /** Behind the end stands what was appended meanwhile, or what does not belong there. */
  const beyond = async (chain: number, head: AuditHead | undefined): Promise<boolean> => {
    const next = await entries.findOne({ _id: { chain, seq: (head?.seq ?? 0) + 1 } }, { projection: { _id: 1 } });
    if (next === null) return false;
    const now = await heads.findOne({ _id: chain });
    return (now?.seq ?? 0) < next._id.seq;
  };

  for (const chain of from === undefined ? await chainsOf(collections, known) : [from.chain]) {
    const head = allHeads.find(({ _id }) => _id === chain);
    const range = { $gte: { chain, seq: from?.seq ?? 1 }, $lte: { chain, seq: head?.seq ?? 0 } };
    const cursor = entries.find({ _id: range }).sort({ _id: 1 });
    const ofChain = seals.filter((seal) => seal.chain === chain);
    const start = from === undefined ? {} : { from: from.seq };
    const found = await verifyChain(cursor, { chain, head, seals: ofChain, isErased, ...start });
    const isWhole = found.broken === undefined || found.broken.what === 'cut-off';
    const isBeyond = isWhole && (await beyond(chain, head));
    const at = { chain, seq: (head?.seq ?? 0) + 1 };
    yield isBeyond ? { ...found, broken: { ...at, what: 'beyond-head' } } : found;
  }
}
