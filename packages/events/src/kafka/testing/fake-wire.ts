import type { KafkaWire } from '../wire.ts';

/** A wire of which only the given requests are expected. */
export function fakeWire(requests: Partial<KafkaWire>): KafkaWire {
  const unexpected = (name: string) => (): Promise<never> => Promise.reject(new Error(`not expected: ${name}`));
  return {
    leaders: unexpected('leaders'),
    offsets: unexpected('offsets'),
    fetch: unexpected('fetch'),
    initProducer: unexpected('initProducer'),
    produce: unexpected('produce'),
    join: unexpected('join'),
    sync: unexpected('sync'),
    heartbeat: unexpected('heartbeat'),
    leave: unexpected('leave'),
    commit: unexpected('commit'),
    committed: unexpected('committed'),
    close: () => Promise.resolve(),
    ...requests,
  };
}
