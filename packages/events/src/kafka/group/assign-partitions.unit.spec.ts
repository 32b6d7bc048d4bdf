import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assignPartitions } from './assign-partitions.ts';

const member = (memberId: string, ...topics: string[]): { memberId: string; topics: string[] } => ({
  memberId,
  topics,
});
const places = (partitions: readonly { topic: string; partition: number }[] = []): string[] =>
  partitions.map(({ topic, partition }) => `${topic}${partition}`);

describe('assignPartitions', () => {
  it('deals every partition to exactly one member, evenly over all topics', () => {
    const counts = new Map([
      ['a', 3],
      ['b', 4],
    ]);
    const assignments = assignPartitions(
      [member('m1', 'a', 'b'), member('m2', 'a', 'b'), member('m3', 'a', 'b')],
      counts,
    );
    const all = [...assignments.values()].flatMap((each) => places(each));
    assert.deepEqual([...all].sort(), ['a0', 'a1', 'a2', 'b0', 'b1', 'b2', 'b3']);
    assert.deepEqual([...assignments.values()].map((each) => each.length).sort(), [2, 2, 3]);
  });

  it('gives a topic only to those who want it, and everybody an entry', () => {
    const assignments = assignPartitions(
      [member('m1', 'a'), member('m2', 'b'), member('m3')],
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    assert.deepEqual(places(assignments.get('m1')), ['a0', 'a1']);
    assert.deepEqual(places(assignments.get('m2')), ['b0']);
    assert.deepEqual(assignments.get('m3'), []);
  });

  it('does not depend on the order in which members are told', () => {
    const members = [member('m2', 'a'), member('m3', 'a'), member('m1', 'a')];
    const counts = new Map([['a', 5]]);
    assert.deepEqual(assignPartitions(members, counts), assignPartitions([...members].reverse(), counts));
  });
});
