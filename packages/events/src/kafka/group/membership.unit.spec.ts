import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaNotAssignedError } from '../errors.ts';
import type { TopicPartition } from '../port.ts';
import { eventually } from '../testing/eventually.ts';
import { fakeWire } from '../testing/fake-wire.ts';
import { type KafkaWire, WireError } from '../wire.ts';
import { Membership, type MembershipOptions } from './membership.ts';

const mine: TopicPartition[] = [{ topic: 't', partition: 0 }];

function member(
  wire: Partial<KafkaWire>,
  options: Partial<MembershipOptions> = {},
): { membership: Membership; happened: string[]; errors: Error[] } {
  const happened: string[] = [];
  const errors: Error[] = [];
  let generation = 0;
  const membership = new Membership({
    wire: fakeWire({
      join: ({ groupId, memberId }) => {
        happened.push(`join ${memberId}`);
        generation += 1;
        return Promise.resolve({ groupId, memberId: memberId || 'm1', generation, leader: false, members: [] });
      },
      sync: () => Promise.resolve(mine),
      heartbeat: () => Promise.resolve(),
      leave: ({ memberId }) => Promise.resolve(void happened.push(`leave ${memberId}`)),
      ...wire,
    }),
    groupId: 'g',
    topics: ['t'],
    sessionTimeoutMs: 60,
    rebalanceTimeoutMs: 1_000,
    onJoined: () => void happened.push('joined'),
    onLeaving: (lost) => Promise.resolve(void happened.push(lost ? 'lost' : 'revoked')),
    onError: (error) => void errors.push(error),
    ...options,
  });
  membership.start();
  return { membership, happened, errors };
}

/** Answers each heartbeat by the next of these; then all is well. */
function beats(...answers: (string | undefined)[]): () => Promise<void> {
  return () => {
    const code = answers.shift();
    return code === undefined ? Promise.resolve() : Promise.reject(new WireError(code));
  };
}

describe('Membership', () => {
  it('takes the id that it is told to join with', async () => {
    let first = true;
    const { membership, happened } = member({
      join: ({ groupId, memberId }) => {
        happened.push(`join ${memberId}`);
        if (first) {
          first = false;
          return Promise.reject(new WireError('MEMBER_ID_REQUIRED', undefined, 'm7'));
        }
        return Promise.resolve({ groupId, memberId, generation: 1, leader: false, members: [] });
      },
    });
    await eventually(() => happened.includes('joined'));
    await membership.close();
    assert.deepEqual(happened, ['join ', 'join m7', 'joined', 'revoked', 'leave m7']);
  });

  it('leaves with the id that it gets while it is closed, and does not join with it', async () => {
    const asked = Promise.withResolvers<undefined>();
    const { membership, happened } = member({
      join: async ({ memberId }) => {
        happened.push(`join ${memberId}`);
        await asked.promise;
        throw new WireError('MEMBER_ID_REQUIRED', undefined, 'm7');
      },
    });
    await eventually(() => happened.length === 1);
    const closed = membership.close();
    asked.resolve(undefined);
    await closed;
    assert.deepEqual(happened, ['join ', 'leave m7']);
  });

  it('drains before it joins again, and goes on beating and committing meanwhile', async () => {
    let drained: () => void = () => undefined;
    let beatsWhileDraining = 0;
    let draining = false;
    const beat = beats('REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS');
    const committed: number[] = [];
    const { membership, happened } = member(
      {
        heartbeat: () => {
          if (draining) beatsWhileDraining += 1;
          return beat();
        },
        commit: ({ generation }) => Promise.resolve(void committed.push(generation)),
      },
      {
        onLeaving: () => {
          if (draining) return Promise.resolve();
          draining = true;
          return new Promise((resolve) => (drained = resolve));
        },
      },
    );
    await eventually(() => beatsWhileDraining >= 2);
    assert.deepEqual(happened, ['join ', 'joined']);
    await membership.commit([{ topic: 't', partition: 0, offset: 1n }]);
    assert.deepEqual(committed, [1]);
    drained();
    await eventually(() => happened.length === 4);
    assert.deepEqual(happened.slice(2), ['join m1', 'joined']);
    await membership.close();
  });

  it('says so when the coordinator no longer knows it, refuses to commit, and joins as somebody new', async () => {
    const { membership, happened, errors } = member(
      { heartbeat: beats('UNKNOWN_MEMBER_ID') },
      {
        onLeaving: async (lost) => {
          happened.push(lost ? 'lost' : 'revoked');
          const offsets = [{ topic: 't', partition: 0, offset: 1n }];
          if (lost) await assert.rejects(membership.commit(offsets), KafkaNotAssignedError);
        },
      },
    );
    await eventually(() => happened.length >= 5);
    await membership.close();
    assert.deepEqual(errors, []);
    assert.deepEqual(happened.slice(0, 5), ['join ', 'joined', 'lost', 'join ', 'joined']);
  });

  it('takes its partitions for lost when nobody has heard of it for a session', async () => {
    const { membership, happened, errors } = member({ heartbeat: () => Promise.reject(new WireError('NETWORK')) });
    await eventually(() => happened.includes('lost'));
    await membership.close();
    assert.deepEqual(happened.slice(0, 3), ['join ', 'joined', 'lost']);
    assert.ok(errors.length >= 3, 'not at the first silence');
  });

  it('lets go at the rebalance timeout, drained or not', async () => {
    const { membership, happened, errors } = member(
      { heartbeat: beats('REBALANCE_IN_PROGRESS') },
      { rebalanceTimeoutMs: 50, onLeaving: () => new Promise(() => undefined) },
    );
    await eventually(() => happened.length === 4);
    assert.match(errors[0]?.message ?? '', /not drained/);
    assert.deepEqual(happened, ['join ', 'joined', 'join m1', 'joined']);
    await membership.close();
  });

  it('as the leader deals the partitions out', async () => {
    let dealt: unknown;
    const { membership, happened } = member({
      join: ({ groupId }) =>
        Promise.resolve({
          groupId,
          memberId: 'm1',
          generation: 1,
          leader: true,
          members: [{ memberId: 'm1', topics: ['t'] }],
        }),
      leaders: () => Promise.resolve(new Map([['t', [1, 1]]])),
      sync: ({ assignments }) => {
        dealt = [...assignments];
        return Promise.resolve(mine);
      },
    });
    await eventually(() => happened.includes('joined'));
    await membership.close();
    assert.deepEqual(dealt, [
      [
        'm1',
        [
          { topic: 't', partition: 0 },
          { topic: 't', partition: 1 },
        ],
      ],
    ]);
  });
});
