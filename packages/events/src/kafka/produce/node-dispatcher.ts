import type { KafkaWire, ProduceAnswer, ProduceBatch, ProducerId } from '../wire.ts';
import { WireError } from '../wire.ts';
import { sizeOf } from './record-batches.ts';

/** Well below the broker's `socket.request.max.bytes` (100 MiB). */
const MAX_REQUEST_BYTES = 8_388_608;
const MAX_REQUESTS_UNDER_WAY = 2;

interface Waiting {
  producer: ProducerId;
  batch: ProduceBatch;
  resolve(answer: ProduceAnswer): void;
  reject(error: unknown): void;
}

/**
 * The way to one broker. What is ready in the same turn, or while two requests are under way, goes out in one request; no time is spent
 * waiting for more. Never two batches of one partition: the producer sends the next only when the one before is settled.
 */
export class NodeDispatcher {
  readonly #wire: KafkaWire;
  readonly #node: number;
  readonly #timeoutMs: number;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(wire: KafkaWire, node: number, timeoutMs: number) {
    this.#wire = wire;
    this.#node = node;
    this.#timeoutMs = timeoutMs;
  }

  /** Rejects with a WireError if nothing is known of the batch. */
  async send(producer: ProducerId, batch: ProduceBatch): Promise<ProduceAnswer> {
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ producer, batch, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#underWay < MAX_REQUESTS_UNDER_WAY && this.#waiting.length > 0) void this.#request(this.#take());
    });
  }

  /** The first, and those after it that belong to the same producer id, up to the size of a request. */
  #take(): Waiting[] {
    const producer = this.#waiting[0]?.producer;
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    let bytes = 0;
    for (const each of this.#waiting) {
      const size = each.batch.records.reduce((sum, record) => sum + sizeOf(record), 0);
      if (each.producer === producer && (taken.length === 0 || bytes + size <= MAX_REQUEST_BYTES)) {
        taken.push(each);
        bytes += size;
      } else {
        left.push(each);
      }
    }
    this.#waiting = left;
    return taken;
  }

  async #request(taken: readonly Waiting[]): Promise<void> {
    const producer = taken[0]?.producer;
    if (!producer) return;
    this.#underWay += 1;
    try {
      const batches = taken.map((each) => each.batch);
      const answers = await this.#wire.produce(this.#node, producer, batches, this.#timeoutMs);
      for (const { batch, resolve, reject } of taken) {
        const answer = answers.find((each) => each.topic === batch.topic && each.partition === batch.partition);
        if (answer) resolve(answer);
        else reject(new WireError('UNDECODABLE', new Error('the answer does not name the partition')));
      }
    } catch (error) {
      for (const each of taken) each.reject(error);
    } finally {
      this.#underWay -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
