import { setTimeout as delay } from 'node:timers/promises';

import type { Redrive } from '../redrive/redrives.ts';
import { CliError } from './cli-error.ts';
import type { Gateway } from './gateway.ts';
import { paint, table, type Output } from './output.ts';

interface Parked {
  readonly id: string;
  readonly service: string;
  readonly handler: string;
  readonly eventId: string;
  readonly subject: string;
  readonly parkedAt: string;
  readonly attempts: number;
  readonly error?: string;
}

interface ParkedPage {
  readonly items: readonly Parked[];
  readonly nextCursor: string | null;
  readonly unavailable: readonly string[];
}

/** What was found, and of which services nothing is known. */
interface Found {
  readonly items: readonly Parked[];
  readonly isWhole: boolean;
  readonly unavailable: readonly string[];
}

/** What is listed. */
export interface ParkedFilter {
  readonly service?: string | undefined;
  readonly handler?: string | undefined;
}

const mostListed = 1_000;
const lookEveryMs = 500;

const pages = async (gateway: Gateway, filter: ParkedFilter & { readonly eventId?: string }): Promise<Found> => {
  const items: Parked[] = [];
  const unavailable = new Set<string>();
  let cursor: string | null = null;
  do {
    const query: Record<string, string | undefined> = { ...filter, limit: '200', ...(cursor !== null && { cursor }) };
    const page = (await gateway.call('GET', '/v1/parked', { query })).body as ParkedPage;
    items.push(...page.items);
    for (const each of page.unavailable) unavailable.add(each);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < mostListed);
  return { items, isWhole: cursor === null, unavailable: [...unavailable] };
};

const rowOf = ({ service, handler, subject, eventId, parkedAt, attempts, error }: Parked): string[] => [
  parkedAt,
  `${service} › ${handler}`,
  subject,
  eventId,
  attempts === 0 ? 'waits' : String(attempts),
  (error ?? '').slice(0, 80),
];

const awayWords = (unavailable: readonly string[]): string =>
  `no answer from ${unavailable.join(', ')}: what is parked there is not known`;

/** `parked`: what could not be handled, and what waits behind it. Ends with 1 where a service did not say. */
export const listParked = async (gateway: Gateway, out: Output, filter: ParkedFilter): Promise<number> => {
  const { items, isWhole, unavailable } = await pages(gateway, filter);
  const head = ['since', 'handler', 'subject', 'event', 'attempts', 'error'];
  if (out.json) for (const each of items) out.value(each, () => '');
  else if (items.length > 0) out.value(items, () => table([head, ...items.map(rowOf)]));
  else if (unavailable.length === 0) out.value(items, () => 'nothing is parked');
  if (!isWhole) out.note(`there is more; the first ${items.length} are shown`);
  if (unavailable.length === 0) return 0;
  out.note(awayWords(unavailable));
  return 1;
};

/** Finds what is parked by the id of its event, at the handler that is named where there are several. */
const findParked = async (gateway: Gateway, eventId: string, filter: ParkedFilter): Promise<Parked> => {
  const { items: found, unavailable } = await pages(gateway, { ...filter, eventId });
  const [only, other] = found;
  if (only === undefined && unavailable.length > 0) throw new CliError(awayWords(unavailable));
  if (only === undefined) throw new CliError(`${eventId} is not parked${filter.handler === undefined ? '' : ' there'}`);
  if (other !== undefined) {
    const where = found.map(({ service, handler }) => `${service} › ${handler}`).join(', ');
    throw new CliError(`${eventId} is parked at several handlers (${where}): say which by --service and --handler`, 2);
  }
  return only;
};

/** How to redrive. */
export interface RedriveOptions extends ParkedFilter {
  readonly scope: string;
  /** Events in a second. */
  readonly rate?: number | undefined;
  readonly dryRun: boolean;
}

/** `redrive`: has it handled again, and tells how far it is. Ends with 1 where something failed again. */
export const redrive = async (
  gateway: Gateway,
  out: Output,
  eventId: string,
  { scope, rate: ratePerSecond, dryRun, ...filter }: RedriveOptions,
): Promise<number> => {
  const { id } = await findParked(gateway, eventId, filter);
  const json = { scope, dryRun, ...(ratePerSecond !== undefined && { ratePerSecond }) };
  const { body, headers } = await gateway.call('POST', `/v1/parked/${id}/redrive`, { json });
  if (dryRun) {
    const { events, subjects } = body as { events: number; subjects: number };
    out.value(body, () => `it would be ${events} events of ${subjects} subjects; nothing has been done`);
    return 0;
  }
  const location = headers.get('location') ?? '';
  let state = body as Redrive;
  while (state.status === 'running') {
    out.note(`${state.redriven} redriven, ${state.failed} failed`);
    await delay(lookEveryMs);
    state = (await gateway.call('GET', location)).body as Redrive;
  }
  const { redriven, failed } = state;
  const words = `${redriven} redriven, ${failed} failed${failed > 0 ? ': they stay parked, with what is behind them' : ''}`;
  out.value(state, () => paint(failed > 0 ? 'red' : 'green', words));
  return failed > 0 ? 1 : 0;
};

/** `discard`: gives it up, for a reason. */
export const discard = async (
  gateway: Gateway,
  out: Output,
  eventId: string,
  { reason, ...filter }: ParkedFilter & { readonly reason: string },
): Promise<number> => {
  const { id } = await findParked(gateway, eventId, filter);
  const { body, headers } = await gateway.call('POST', `/v1/parked/${id}/discard`, { json: { reason } });
  out.value(body, () => `discarded; event ${headers.get('causeway-event') ?? ''} says so`);
  return 0;
};
