import { setTimeout as delay } from 'node:timers/promises';

import type { Replay } from '../replay/replays.ts';
import { CliError } from './cli-error.ts';
import type { Gateway } from './gateway.ts';
import { paint, plain, type Output } from './output.ts';

const lookEveryMs = 500;

/** What is to be gone through again. */
export interface ReplayOptions {
  readonly service: string | undefined;
  readonly handler: string | undefined;
  /** ISO 8601. */
  readonly since: string;
  /** Deliveries in a second. */
  readonly rate: number | undefined;
  readonly external: boolean;
  readonly dryRun: boolean;
}

const wordsOf = ({ done, skipped, tooOld, failed }: Replay): string =>
  [
    `${done} had their effect`,
    `${skipped} had had it`,
    ...(tooOld > 0 ? [`${tooOld} are too old to know`] : []),
    ...(failed > 0 ? [`${failed} failed, and are parked`] : []),
  ].join(', ');

/** Tells how far it is, until it has ended. Ends with 1 where something failed. */
const follow = async (gateway: Gateway, out: Output, location: string, begun: Replay): Promise<number> => {
  let state = begun;
  while (state.status === 'running') {
    out.note(`${state.seen} of ${state.events} events: ${wordsOf(state)}`);
    await delay(lookEveryMs);
    state = (await gateway.call('GET', location)).body as Replay;
  }
  const { seen, failed, stopped } = state;
  out.value(state, () =>
    paint(failed > 0 ? 'red' : 'green', `${stopped === true ? 'stopped after ' : ''}${seen} events: ${wordsOf(state)}`),
  );
  return failed > 0 ? 1 : 0;
};

/** `replay`: has handlers go through past events again, and tells how far it is. Ends with 1 where something failed. */
export const replay = async (gateway: Gateway, out: Output, options: ReplayOptions): Promise<number> => {
  const { service, handler, since, rate: ratePerSecond, external, dryRun } = options;
  if (service === undefined) throw new CliError('replay needs --service', 2);
  const json = { service, handler, since, ratePerSecond, external, dryRun };
  const { body, headers } = await gateway.call('POST', '/v1/replays', { json });
  if (dryRun) {
    const { events, handlers } = body as { readonly events: number; readonly handlers: readonly string[] };
    out.value(body, () => plain(`it would be ${events} events, for ${handlers.join(', ')}; nothing has been done`));
    return 0;
  }
  return follow(gateway, out, headers.get('location') ?? '', body as Replay);
};

/** `replay --stop`: has one end at the next event, and tells how far it has come. */
export const stopReplay = async (gateway: Gateway, out: Output, id: string): Promise<number> => {
  const path = `/v1/replays/${encodeURIComponent(id)}`;
  return follow(gateway, out, path, (await gateway.call('DELETE', path)).body as Replay);
};
