import { Backoff, pause, settledWithin } from '../backoff.ts';
import { KafkaNotAssignedError, KafkaUnavailableError } from '../errors.ts';
import type { TopicPartition, TopicPartitionOffset } from '../port.ts';
import { type GroupMember, type JoinAnswer, type KafkaWire, membershipIsLost, WireError } from '../wire.ts';
import { assignPartitions } from './assign-partitions.ts';
import { asError } from './partition-feed.ts';

const COMMIT_BOUND_MS = 5_000;
const LEAVE_BOUND_MS = 2_000;

export interface MembershipOptions {
  wire: KafkaWire;
  groupId: string;
  topics: readonly string[];
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  /** A generation begins. Must not wait for anything: heartbeats start after it. */
  onJoined(partitions: readonly TopicPartition[]): void;
  /** Ends the generation: resolves when the partitions may be let go. */
  onLeaving(lost: boolean): Promise<void>;
  onError(error: Error): void;
}

/**
 * One member of a classic consumer group (KIP-62 as of protocol 9): join, be assigned, beat, and at a rebalance *first* drain and commit,
 * *then* join again. Heartbeats go on while it drains, so that a slow handler costs the others patience and not us the partition.
 *
 * It is classic and not KIP-848, whose session time-out is the broker's (45 s, no less): a service that was killed would have its
 * partitions back only then.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #closing = new AbortController();
  readonly #heartbeatMs: number;
  readonly #backoff = new Backoff(100, 2_000);
  #memberId = '';
  #member: GroupMember | undefined;
  #beatNow = new AbortController();
  #lastBeatMs = 0;
  #running: Promise<void> | undefined;
  /** The request for an id, which is answered at once. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#heartbeatMs = Math.min(1_000, options.sessionTimeoutMs / 6);
  }

  /** Joins, and stays a member until `close`. */
  start(): void {
    this.#running = this.#run();
  }

  /**
   * Commits under the current generation.
   *
   * @throws {KafkaNotAssignedError} There is none, or the coordinator knows better.
   * @throws {KafkaUnavailableError} Not taken within 5 s.
   */
  async commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    const [first] = offsets;
    if (!first) return;
    const deadlineMs = performance.now() + COMMIT_BOUND_MS;
    const backoff = new Backoff(50, 500);
    for (;;) {
      const member = this.#member;
      if (!member) throw new KafkaNotAssignedError(first.topic, first.partition);
      try {
        await this.#options.wire.commit(member, offsets);
        return;
      } catch (error) {
        if (membershipIsLost(error)) {
          this.#beatNow.abort();
          throw new KafkaNotAssignedError(first.topic, first.partition);
        }
        if (performance.now() > deadlineMs) throw new KafkaUnavailableError('the commit was not taken in time', error);
        await pause(backoff.nextMs());
      }
    }
  }

  /** Drains, leaves the group. Bounded by the rebalance timeout; never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#beatNow.abort();
    if (!this.#member) {
      // It may be about to get its id, and the group would wait for whoever has that until the session times out.
      await settledWithin(this.#asking, LEAVE_BOUND_MS).catch(() => undefined);
      // It may be parked at the coordinator in the middle of a join.
      await this.#leave();
      await this.#options.wire.close();
    }
    if (this.#running) await settledWithin(this.#running, this.#options.rebalanceTimeoutMs + LEAVE_BOUND_MS);
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed()) {
      try {
        const assigned = await this.#join();
        this.#backoff.reset();
        this.#options.onJoined(assigned);
        const lost = await this.#stay();
        await this.#giveUp(lost);
      } catch (error) {
        this.#member = undefined;
        if (this.#isClosed()) break;
        this.#onJoinFailed(error);
        await this.#backoff.wait(this.#closing.signal);
      }
    }
    await this.#leave();
  }

  #onJoinFailed(error: unknown): void {
    if (error instanceof WireError && error.code === 'MEMBER_ID_REQUIRED') this.#memberId = error.memberId ?? '';
    else if (membershipIsLost(error)) this.#memberId = '';
    else if (!(error instanceof WireError) || error.code !== 'REBALANCE_IN_PROGRESS')
      this.#options.onError(asError(error));
  }

  async #join(): Promise<TopicPartition[]> {
    const { wire, groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const request = { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs };
    // KIP-394: the first request only gets an id, so that members that never come back do not pile up.
    const first = wire.join({ ...request, memberId: this.#memberId }).catch((error: unknown) => {
      if (!(error instanceof WireError) || error.code !== 'MEMBER_ID_REQUIRED' || !error.memberId) throw error;
      this.#memberId = error.memberId;
      return undefined;
    });
    if (this.#memberId === '') this.#asking = first;
    const answer = await first;
    // Whoever closes meanwhile leaves with the id instead.
    if (answer === undefined) this.#closing.signal.throwIfAborted();
    const joined = answer ?? (await wire.join({ ...request, memberId: this.#memberId }));
    this.#memberId = joined.memberId;
    const assigned = await wire.sync({ ...joined, assignments: await this.#assign(joined) });
    this.#member = { groupId, memberId: joined.memberId, generation: joined.generation };
    this.#lastBeatMs = performance.now();
    return assigned;
  }

  async #assign({ leader, members }: JoinAnswer): Promise<Map<string, TopicPartition[]>> {
    if (!leader) return new Map();
    const topics = [...new Set(members.flatMap((member) => member.topics))];
    const leaders = await this.#options.wire.leaders(topics);
    return assignPartitions(members, new Map([...leaders].map(([topic, nodes]) => [topic, nodes.length])));
  }

  /** Beats until the generation ends. @returns Whether the partitions are lost already. */
  async #stay(): Promise<boolean> {
    while (!this.#isClosed()) {
      await pause(this.#heartbeatMs, this.#nextBeat());
      const outcome = await this.#beat();
      if (outcome !== 'alive') return outcome === 'lost';
    }
    return false;
  }

  #nextBeat(): AbortSignal {
    if (this.#beatNow.signal.aborted && !this.#isClosed()) this.#beatNow = new AbortController();
    return this.#beatNow.signal;
  }

  async #beat(): Promise<'alive' | 'rebalance' | 'lost'> {
    const member = this.#member;
    if (!member) return 'lost';
    try {
      await this.#options.wire.heartbeat(member);
      this.#lastBeatMs = performance.now();
      return 'alive';
    } catch (error) {
      if (membershipIsLost(error)) {
        if (error instanceof WireError && error.code === 'UNKNOWN_MEMBER_ID') this.#memberId = '';
        return this.#lose();
      }
      if (error instanceof WireError && error.code === 'REBALANCE_IN_PROGRESS') {
        this.#lastBeatMs = performance.now();
        return 'rebalance';
      }
      if (!this.#isClosed()) this.#options.onError(asError(error));
      // Nobody has heard of us for so long that the group may have given the partitions away.
      return performance.now() - this.#lastBeatMs > this.#options.sessionTimeoutMs ? this.#lose() : 'alive';
    }
  }

  #lose(): 'lost' {
    this.#member = undefined;
    return 'lost';
  }

  async #giveUp(lost: boolean): Promise<void> {
    const drained = this.#options.onLeaving(lost).catch((error: unknown) => this.#options.onError(asError(error)));
    const deadlineMs = performance.now() + this.#options.rebalanceTimeoutMs;
    while (!(await settledWithin(drained, this.#heartbeatMs))) {
      if (performance.now() > deadlineMs) {
        this.#options.onError(new KafkaUnavailableError('partitions were not drained within the rebalance timeout'));
        break;
      }
      if (this.#member) await this.#beat();
    }
    if (!this.#isClosed()) this.#member = undefined;
  }

  async #leave(): Promise<void> {
    const memberId = this.#memberId;
    const generation = this.#member?.generation ?? -1;
    this.#member = undefined;
    if (memberId === '') return;
    this.#memberId = '';
    const left = this.#options.wire.leave({ groupId: this.#options.groupId, memberId, generation });
    await settledWithin(left, LEAVE_BOUND_MS).catch(() => undefined);
  }
}
