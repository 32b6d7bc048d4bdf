import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createForgetProofs } from './forget-proofs.ts';
import type { ProofDocument } from './proof.model.ts';
import { createExpireProofs } from './withdraw-proofs.ts';
import type { ExpireProofsDependencies } from './withdraw-proofs.ts';

const cause = { correlationId: 'c', principal: { type: 'system' } } as const;
const now = () => new Date('2026-02-01T00:00:00Z');
const running = new AbortController().signal;

void describe('links that are over', () => {
  it('are withdrawn, in parts, but for one that was used meanwhile', async () => {
    const rows = new Map<string, string>(
      Array.from({ length: 60 }, (_each, index) => [`prf_${index}`, index === 7 ? 'used' : 'open']),
    );
    let left = [...rows.keys()];
    const told: unknown[] = [];
    const update = (_cause: unknown, _id: string, decide: (proof: ProofDocument) => unknown) => {
      left = left.filter((each) => each !== _id);
      const held = { passwordHash: '$argon2id$…', name: 'Ada' };
      const row = { _id, kind: 'verify-email', status: rows.get(_id), ...held };
      const decision = decide(row as unknown as ProofDocument);
      if (decision === undefined) return Promise.resolve({ document: {} });
      told.push(decision);
      return Promise.resolve({ document: {}, event: {} });
    };
    const expire = createExpireProofs({
      proofs: { update } as unknown as ExpireProofsDependencies['proofs'],
      proofQueries: { expiredIds: (_now, limit) => Promise.resolve(left.slice(0, limit)) },
      now,
    });
    assert.equal(await expire(cause, running), 59);
    const [first] = told as { state: ProofDocument; event: { data: unknown } }[];
    assert.deepEqual([first?.state.status, first?.state.endedAt], ['withdrawn', now()]);
    assert.doesNotMatch(JSON.stringify(told), /argon2id|Ada/, 'what a sign-up held goes with it');
    assert.deepEqual(first?.event.data, { proofId: 'prf_0', kind: 'verify-email', reason: 'expired' });
    assert.equal(await expire(cause, AbortSignal.abort()), 0);
  });

  it('are forgotten after a month, and after a day where nobody has the address, and with what the log says of them', async () => {
    let left = Array.from({ length: 45 }, (_each, index) => `prf_${index}`);
    let ofNobody = ['prf_45', 'prf_46'];
    const before: Date[] = [];
    const ofNobodyBefore: Date[] = [];
    const steps: string[] = [];
    const forget = createForgetProofs({
      redaction: {
        published: () => Promise.resolve(void steps.push('published')),
        ofForgotten(subjects, { keep }) {
          assert.deepEqual(keep, ['auth.proof.deleted']);
          steps.push(...subjects.map((subject) => `redacted ${subject}`));
          // Of one an event is parked.
          return Promise.resolve(subjects.filter((subject) => subject !== 'proof/prf_3'));
        },
      },
      proofs: {
        delete: (_cause: unknown, id: string) => {
          steps.push(`deleted ${id}`);
          left = left.filter((each) => each !== id);
          ofNobody = ofNobody.filter((each) => each !== id);
          return Promise.resolve(undefined);
        },
      },
      proofQueries: {
        idsOf: () => Promise.resolve([]),
        endedOfNobodyBefore(time, limit) {
          ofNobodyBefore.push(time);
          return Promise.resolve(ofNobody.slice(0, limit));
        },
        endedBefore(time, limit, but = []) {
          before.push(time);
          return Promise.resolve(left.filter((id) => !but.includes(id)).slice(0, limit));
        },
      },
      now,
    });
    assert.equal(await forget(cause, AbortSignal.abort()), 0);
    assert.equal(await forget(cause, running), 46);
    assert.deepEqual([left, before[0]], [['prf_3'], new Date('2026-01-02T00:00:00Z')]);
    assert.deepEqual(steps.slice(0, 3), ['published', 'redacted proof/prf_45', 'redacted proof/prf_46']);
    assert.ok(steps.indexOf('redacted proof/prf_44') < steps.indexOf('deleted prf_44'));
    assert.deepEqual([ofNobody, ofNobodyBefore[0]], [[], new Date('2026-01-31T00:00:00Z')]);
  });
});
