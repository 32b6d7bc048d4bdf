import type { TopicPartition } from '../port.ts';
import type { SubscribedMember } from '../wire.ts';

/**
 * Deals the partitions of all topics out to the members that want them, evenly over all topics together (Kafka's `roundrobin`).
 * Depends on nothing but its input, so that whoever leads comes to the same result.
 *
 * @param partitionCounts By topic.
 * @returns By member id; every member is there, with an empty list if nothing is left for it.
 */
export function assignPartitions(
  members: readonly SubscribedMember[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const assignments = new Map(sorted.map((member) => [member.memberId, new Array<TopicPartition>()]));
  let turn = 0;
  for (const topic of [...partitionCounts.keys()].sort()) {
    const takers = sorted.filter((member) => member.topics.includes(topic));
    if (takers.length === 0) continue;
    for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition += 1) {
      const taker = takers[turn % takers.length];
      turn += 1;
      if (taker) assignments.get(taker.memberId)?.push({ topic, partition });
    }
  }
  return assignments;
}
