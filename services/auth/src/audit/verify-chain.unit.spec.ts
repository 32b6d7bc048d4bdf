import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';

import { actOf, commitmentOf, entryOf, hashOf, withoutPerson } from './audit-entry.ts';
import type { AuditEntry } from './audit-entry.ts';
import { auditedEvents } from './audited-events.ts';
import { verifyChain } from './verify-chain.ts';
import type { AuditMark, KnownOfChain } from './verify-chain.ts';

const chain = 3;

const event = (index: number, type = 'auth.session.started', data: object = {}): EventEnvelope => ({
  specversion: '1.0',
  ...{ id: `event-${index}`, source: '/causeway/auth', subject: `session/ses_${index}`, type },
  ...{ sequence: '0000000000000001', time: `2026-01-01T00:00:0${index}.000Z`, dataschema: 'x' },
  datacontenttype: 'application/json',
  correlationid: `request-${index}`,
  authtype: 'app_user',
  authid: 'usr_ADA',
  data: { sessionId: `ses_${index}`, accountId: 'usr_ADA', method: 'password', ip: '203.0.113.7', ...data },
});

/** Six entries; of the fourth nothing is personal. */
const entriesOf = (): AuditEntry[] => {
  let prev = '';
  return [1, 2, 3, 4, 5, 6].map((seq) => {
    const act = actOf(event(seq));
    const entry = entryOf(seq === 4 ? withoutPerson(act) : act, { chain, seq }, prev);
    prev = entry.hash;
    return entry;
  });
};

const markOf = ({ _id: { seq }, hash }: AuditEntry): AuditMark => ({ seq, hash });

const rehashed = (entry: AuditEntry, change: Partial<AuditEntry>): AuditEntry => {
  const changed = { ...entry, ...change };
  return { ...changed, hash: hashOf(changed) };
};

/** What an attacker makes of the entries who writes all that follow anew. */
const relinked = (entries: readonly AuditEntry[]): AuditEntry[] => {
  let prev = '';
  return entries.map((entry, index) => {
    const next = rehashed(entry, { prev, _id: { chain, seq: index + 1 } });
    prev = next.hash;
    return next;
  });
};

const verify = (entries: readonly AuditEntry[], known: Partial<KnownOfChain> = {}) =>
  verifyChain(entries, { chain, head: undefined, seals: [], isErased: () => Promise.resolve(false), ...known });

describe('a chain of the audit', () => {
  it('is sound as it was written, in part too', async () => {
    const entries = entriesOf();
    const head = markOf(entries[5]!);
    const seals = [markOf(entries[1]!), markOf(entries[4]!)];
    assert.deepEqual(await verify(entries, { head, seals }), { chain, entries: 6, forgotten: 0, last: head });
    assert.deepEqual(await verify(entries.slice(2), { head, seals, from: 3 }), {
      ...{ chain, entries: 4, forgotten: 0, last: head },
    });
    assert.deepEqual(await verify([]), { chain, entries: 0, forgotten: 0, last: undefined });
  });

  const swapped = (entries: AuditEntry[]): AuditEntry[] => {
    const [second, third] = [entries[1]!, entries[2]!];
    return entries.with(1, { ...third, _id: second._id }).with(2, { ...second, _id: third._id });
  };
  const without = ({ personal: _personal, salt: _salt, ...entry }: AuditEntry): AuditEntry => entry;
  const at = (index: number, change: (entry: AuditEntry) => AuditEntry) => (entries: AuditEntry[]) =>
    entries.with(index, change(entries[index]!));

  for (const [what, tamper, broken] of [
    [
      'a fact that is changed',
      at(1, (entry) => ({ ...entry, facts: { ...entry.facts, method: 'link' } })),
      '2 changed',
    ],
    ['an account that is changed', at(1, (entry) => ({ ...entry, accountId: 'usr_EVE' })), '2 changed'],
    ['an actor that is changed', at(1, (entry) => ({ ...entry, actorId: 'usr_EVE' })), '2 changed'],
    ['an actor that is left out', at(1, ({ actorId: _, ...entry }) => entry), '2 changed'],
    ['a time that is changed', at(5, (entry) => ({ ...entry, at: new Date(0) })), '6 changed'],
    ['an outcome that is changed', at(0, (entry) => ({ ...entry, outcome: 'refused' })), '1 changed'],
    ['a request that is changed', at(0, (entry) => ({ ...entry, correlationId: 'other' })), '1 changed'],
    ['a hash that is changed', at(1, (entry) => ({ ...entry, hash: entry.prev })), '2 changed'],
    ['an entry that is written anew', at(1, (entry) => rehashed(entry, { type: 'auth.session.ended' })), '3 relinked'],
    ['an entry of elsewhere', at(2, (entry) => rehashed(entry, { prev: 'elsewhere' })), '3 relinked'],
    ['one that is taken out', (entries: AuditEntry[]) => entries.toSpliced(2, 1), '3 missing'],
    ['the first that is taken out', (entries: AuditEntry[]) => entries.slice(1), '1 missing'],
    ['one that is put in', (entries: AuditEntry[]) => entries.toSpliced(2, 0, entries[1]!), '3 missing'],
    ['two that have changed places', swapped, '2 relinked'],
    [
      'an address that is changed',
      at(1, (entry) => ({ ...entry, personal: { ip: '192.0.2.1' } })),
      '2 personal-changed',
    ],
    [
      'an address that is changed with what stands for it',
      at(1, (entry) => ({
        ...entry,
        personal: { ip: '192.0.2.1' },
        commitment: commitmentOf({ ip: '192.0.2.1' }, entry.salt!),
      })),
      '2 changed',
    ],
    [
      'what stands for an address, taken out with it',
      at(1, ({ commitment: _, ...entry }) => without(entry)),
      '2 changed',
    ],
    [
      'all of another chain in its place',
      (entries: AuditEntry[]) => entries.map((entry) => ({ ...entry, _id: { ...entry._id, chain: chain + 1 } })),
      '1 changed',
    ],
    ['a type that is changed', at(1, (entry) => ({ ...entry, type: 'auth.session.ended' })), '2 changed'],
    ['an event that is changed', at(1, (entry) => ({ ...entry, eventId: 'event-other' })), '2 changed'],
    ['a kind of actor that is changed', at(1, (entry) => ({ ...entry, actorType: 'system' })), '2 changed'],
    ['an address under another salt', at(1, (entry) => ({ ...entry, salt: 'AAAA' })), '2 personal-changed'],
    ['an address that was not there', at(3, (entry) => ({ ...entry, personal: {}, salt: '' })), '4 personal-changed'],
    ['an address that is taken out', at(1, without), '2 forgotten'],
    ['the last that are cut off', (entries: AuditEntry[]) => entries.slice(0, 4), '5 cut-off'],
    ['all that are cut off', () => [], '1 cut-off'],
    [
      'all that are written anew',
      (entries: AuditEntry[]) => relinked(at(1, (entry) => ({ ...entry, accountId: 'usr_EVE' }))(entries)),
      '6 made-anew',
    ],
    ['all but one that are written anew', (entries: AuditEntry[]) => relinked(entries.toSpliced(2, 1)), '6 cut-off'],
  ] as const) {
    it(`tells ${what}`, async () => {
      const entries = entriesOf();
      const result = await verify(tamper(entries), { head: markOf(entries[5]!) });
      assert.equal(`${result.broken?.seq} ${result.broken?.what}`, broken);
      assert.equal(result.broken?.chain, chain);
    });
  }

  it('is held against what was told of it, whatever its head says', async () => {
    const entries = entriesOf();
    const seals = [markOf(entries[4]!)];
    const anew = relinked(entries.with(1, { ...entries[1]!, accountId: 'usr_EVE' }));
    const cut = entries.slice(0, 3);
    const brokenOf = async (each: readonly AuditEntry[]) =>
      (await verify(each, { head: markOf(each.at(-1)!), seals })).broken;
    assert.deepEqual(await brokenOf(anew), { chain, seq: 5, what: 'made-anew' });
    assert.deepEqual(await brokenOf(cut), { chain, seq: 4, what: 'cut-off' });
    assert.equal(await brokenOf(entries), undefined);
  });

  it('still verifies when somebody was erased, and tells how many entries have forgotten them', async () => {
    const entries = entriesOf().map(without);
    const result = await verify(entries, { head: markOf(entries[5]!), isErased: async (id) => id === 'usr_ADA' });
    assert.deepEqual([result.broken, result.entries, result.forgotten], [undefined, 6, 5]);
  });
});

describe('an entry of the audit', () => {
  it('says of the same address something else each time, and nothing once the salt is gone', () => {
    const [one, two] = [1, 2].map(() => entryOf(actOf(event(1)), { chain, seq: 1 }, ''));
    assert.notEqual(one!.commitment, two!.commitment);
    assert.equal(commitmentOf(one!.personal!, one!.salt!), one!.commitment);
    assert.equal(Buffer.from(one!.salt!, 'base64url').length, 32);
  });

  it('takes all for personal that is not known to be harmless', () => {
    const act = actOf(event(1, 'auth.session.started', { userAgent: 'Firefox', later: 'what a later release adds' }));
    assert.deepEqual(act.facts, { sessionId: 'ses_1', accountId: 'usr_ADA', method: 'password' });
    assert.deepEqual(act.personal, { ip: '203.0.113.7', userAgent: 'Firefox', later: 'what a later release adds' });
  });

  it('keeps no address of which nobody knows whose it is', () => {
    const act = actOf(event(1, 'auth.proof.requested', { email: 'ada@example.com', ip: undefined }));
    assert.equal(JSON.stringify(act).includes('ada@example.com'), false);
  });

  it('keeps of guesses at addresses that nobody has how many there were, and from where in about', () => {
    const from = { addresses: ['192.0.2.7', '192.0.2.9', '2001:db8:1:2::17'], later: 'what a later release adds' };
    const nobody = { accountId: undefined, count: 12, emails: 9 };
    const unknown = actOf(event(1, 'auth.guard.failed', { ...nobody, ...from }));
    assert.equal(unknown.personal, undefined);
    assert.deepEqual(unknown.facts, { count: 12, emails: 9, networks: ['192.0.2.0/24', '2001:db8:1::/48'] });
    const known = actOf(event(1, 'auth.guard.failed', { accountId: 'usr_1', count: 12, ...from }));
    assert.deepEqual([known.facts.networks, known.personal?.addresses], [undefined, from.addresses]);
  });

  it('tells what was refused', () => {
    const outcomes = (['refresh-reused', 'signed-out'] as const).map(
      (reason) => actOf(event(1, 'auth.session.ended', { reason })).outcome,
    );
    assert.deepEqual(outcomes, ['refused', 'done']);
    assert.equal(actOf(event(1, 'auth.guard.failed')).outcome, 'refused');
  });

  it('is of no other event than those that are audited, each of them once', () => {
    assert.throws(() => actOf(event(1, 'auth.session.refreshed')), TypeError);
    const types = auditedEvents.map(({ contract }) => contract.type);
    assert.equal(new Set(types).size, types.length);
  });
});
