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

  it('are forgotten after a month, and after a day where nobody has the address', async () => {
    let left = Array.from({ length: 45 }, (_each, index) => `prf_${index}`);
    let ofNobody = ['prf_45', 'prf_46'];
    const before: Date[] = [];
    const ofNobodyBefore: Date[] = [];
    const forget = createForgetProofs({
      proofs: {
        delete: (_cause: unknown, id: string) => {
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
        endedBefore(time, limit) {
          before.push(time);
          return Promise.resolve(left.slice(0, limit));
        },
      },
      now,
    });
    assert.equal(await forget(cause, AbortSignal.abort()), 0);
    assert.equal(await forget(cause, running), 47);
    assert.deepEqual([left, before[0]], [[], new Date('2026-01-02T00:00:00Z')]);
    assert.deepEqual([ofNobody, ofNobodyBefore[0]], [[], new Date('2026-01-31T00:00:00Z')]);
  });
});
