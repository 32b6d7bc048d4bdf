import { setTimeout as delay } from 'node:timers/promises';

import type { Rebuild } from '../rebuild/rebuilds.ts';
import { CliError } from './cli-error.ts';
import type { Gateway } from './gateway.ts';
import { paint, plain, type Output } from './output.ts';

const lookEveryMs = 500;

const wordsOf = ({ id, status, documents, differing, carried, examples, liveChecksum }: Rebuild): string => {
  const taken = carried === 0 ? '' : `, ${carried} of them taken over`;
  if (status === 'waiting') {
    const some = examples.map(plain).join(', ');
    return `${differing} of ${documents} documents differ (${some}): swap ${id}, or drop ${id}`;
  }
  if (status === 'dropped') return 'dropped; what is used is as it was';
  return differing === 0
    ? `swapped in: ${documents} documents agree${taken}, checksum ${liveChecksum.slice(0, 16)}`
    : `swapped in, though ${differing} of ${documents} documents differed${taken}`;
};

/** Tells how far it is, until it is over or waits. Ends with 1 where it waits. */
const follow = async (gateway: Gateway, out: Output, location: string, begun: Rebuild): Promise<number> => {
  let state = begun;
  while (state.status === 'running') {
    out.note(`${state.seen} events read`);
    await delay(lookEveryMs);
    state = (await gateway.call('GET', location)).body as Rebuild;
  }
  const waits = state.status === 'waiting';
  out.value(state, () => paint(waits ? 'yellow' : 'green', wordsOf(state)));
  return waits ? 1 : 0;
};

/** `rebuild`: builds a read model anew, and swaps it in where it agrees with the one that is used. */
export const rebuild = async (
  gateway: Gateway,
  out: Output,
  options: {
    readonly service?: string | undefined;
    readonly handler?: string | undefined;
    /** Events in a second. */
    readonly rate?: number | undefined;
  },
): Promise<number> => {
  const { service, handler, rate: ratePerSecond } = options;
  if (service === undefined || handler === undefined) throw new CliError('rebuild needs --service and --handler', 2);
  const { body, headers } = await gateway.call('POST', '/v1/rebuilds', { json: { service, handler, ratePerSecond } });
  return follow(gateway, out, headers.get('location') ?? '', body as Rebuild);
};

/** `swap` and `drop`: what becomes of one that differs. */
export const decideRebuild = async (
  gateway: Gateway,
  out: Output,
  id: string,
  decision: 'swap' | 'drop',
): Promise<number> => {
  const path = `/v1/rebuilds/${encodeURIComponent(id)}`;
  const { body } = await gateway.call('POST', `${path}/${decision}`);
  return follow(gateway, out, path, body as Rebuild);
};
