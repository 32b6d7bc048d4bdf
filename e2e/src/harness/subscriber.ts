import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';

/** The example that is given to users, as it is. */
const file = path.resolve(import.meta.dirname, '../../../examples/subscriber/subscriber.ts');

/** An event as the example prints it. */
export interface PrintedEvent {
  readonly type: string;
  readonly subject: string;
  readonly sequence: string;
  readonly id: string;
  /** When its line was read, by this process's `performance.now()`. */
  readonly readAt: number;
}

/** A running examples/subscriber. It ends itself when events come out of order, which every look at it then reports. */
export interface Subscriber {
  /** In the order in which they came. */
  readonly events: readonly PrintedEvent[];
  /** Resolves when all these events have come; rejects when they have not within that time. */
  readonly sees: (ids: Iterable<string>, withinMs?: number) => Promise<void>;
  /** @returns the events of a subject, in the order in which they came */
  readonly of: (subject: string) => readonly PrintedEvent[];
  /** @returns the event of that id, once it has come */
  readonly find: (id: string) => PrintedEvent | undefined;
  /** Fails unless the example is still running. */
  readonly assertHealthy: () => void;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the example in a group of its own, from the beginning of the topics.
 *
 * @param brokers - as `KAFKA_BROKERS`
 * @param topics - those of all services by default
 */
export function startSubscriber(brokers: string, topics: readonly string[] = []): Subscriber {
  const env = { ...process.env, KAFKA_BROKERS: brokers, GROUP_ID: `e2e-${randomUUID()}` };
  const child = spawn(process.execPath, [file, ...topics], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const events: PrintedEvent[] = [];
  const byId = new Map<string, PrintedEvent>();
  const bySubject = new Map<string, PrintedEvent[]>();
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-4000)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = { ...(JSON.parse(line) as Omit<PrintedEvent, 'readAt'>), readAt: performance.now() };
    events.push(event);
    byId.set(event.id, event);
    const before = bySubject.get(event.subject);
    if (before === undefined) bySubject.set(event.subject, [event]);
    else before.push(event);
  });
  const assertHealthy = (): void => {
    const ended = child.exitCode ?? child.signalCode;
    assert.equal(ended, null, `examples/subscriber ended (${ended ?? ''}): ${errors}`);
  };
  return {
    events,
    assertHealthy,
    find: (id) => byId.get(id),
    of: (subject) => bySubject.get(subject) ?? [],
    sees: (wanted, withinMs = 30_000) =>
      eventually(
        () => {
          assertHealthy();
          const missing = [...wanted].filter((id) => !byId.has(id));
          assert.deepEqual(missing, [], 'events that the outside subscriber has not seen');
        },
        { withinMs },
      ),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const bound = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await once(child, 'exit');
      clearTimeout(bound);
    },
  };
}
