import type { EventEnvelope } from '@causeway/contracts';
import { fromSequence } from '@causeway/contracts';

import type { Gateway } from './gateway.ts';
import { paint, plain, plainJson, table, type Output } from './output.ts';

/** Pages are followed up to so many events, so that a list of a large import does not go on for ever. */
const mostListed = 1_000;

interface Page {
  readonly items: readonly EventEnvelope[];
  readonly nextCursor: string | null;
}

interface Effects {
  readonly event: EventEnvelope;
  readonly handlers: readonly {
    readonly service: string;
    readonly handler: string;
    readonly status: string;
    readonly attempts: number;
    readonly error?: string;
  }[];
  readonly scheduled?: { readonly timerId: string; readonly type: string; readonly deliverAt: string };
  readonly caused: readonly Effects[];
  readonly complete: boolean;
}

const rowOf = ({ time, type, subject, sequence, id }: EventEnvelope): string[] => [
  time,
  type,
  subject,
  String(fromSequence(sequence)),
  id,
];

const head = ['time', 'type', 'subject', 'revision', 'id'];

/** Which events are listed: those of which all that is said is true. */
export interface Listed {
  /** The id of a request. */
  readonly correlationId?: string | undefined;
  readonly subject?: string | undefined;
  /** With commas between several. */
  readonly type?: string | undefined;
}

/** `list`: the events of a request, of a thing, or of some types. */
export const listEvents = async (gateway: Gateway, out: Output, listed: Listed): Promise<number> => {
  const found: EventEnvelope[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string | undefined> = { ...listed, limit: '200', ...(cursor !== null && { cursor }) };
    const page = (await gateway.call('GET', '/v1/events', { query })).body as Page;
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && found.length < mostListed);
  if (out.json) for (const event of found) out.value(event, () => '');
  else out.value(found, () => (found.length === 0 ? 'no events' : table([head, ...found.map(rowOf)])));
  if (cursor !== null) out.note(`there are more; the first ${found.length} are shown`);
  return 0;
};

/** `show`: one event, whole. */
export const showEvent = async (gateway: Gateway, out: Output, id: string): Promise<number> => {
  const { body } = await gateway.call('GET', `/v1/events/${encodeURIComponent(id)}`);
  const { data, ...attributes } = body as EventEnvelope;
  const width = Math.max(...Object.keys(attributes).map((name) => name.length));
  const lines = Object.entries(attributes).map(
    ([name, value]) => `${paint('dim', name.padEnd(width))}  ${plain(value)}`,
  );
  out.value(body, () => [...lines, paint('dim', 'data'), plainJson(data, 2)].join('\n'));
  return 0;
};

const colourOf = (status: string): 'green' | 'red' | 'yellow' => {
  if (status === 'done' || status === 'discarded') return 'green';
  return status === 'parked' ? 'red' : 'yellow';
};

const linesOf = ({ event, handlers, scheduled, caused }: Effects, indent: string): string[] => [
  `${indent}${paint('bold', event.type)} ${plain(event.subject)} ${paint('dim', event.id)}`,
  ...handlers.flatMap(({ service, handler, status, attempts, error }) => [
    `${indent}  ${plain(`${service} › ${handler}`)} ${paint(colourOf(status), status)} ${paint('dim', attempts > 1 ? `${attempts} attempts` : '')}`.trimEnd(),
    ...(error === undefined ? [] : [`${indent}    ${paint('red', error)}`]),
  ]),
  ...(scheduled === undefined
    ? []
    : [`${indent}  ${plain(scheduled.type)} ${paint('cyan', 'scheduled')} ${paint('dim', scheduled.deliverAt)}`]),
  ...caused.flatMap((each) => linesOf(each, `${indent}  `)),
];

/** `effects`: what became of an event. Ends with 1 where not everything has been done. */
export const showEffects = async (gateway: Gateway, out: Output, id: string, wait?: string): Promise<number> => {
  const { body } = await gateway.call('GET', `/v1/events/${encodeURIComponent(id)}/effects`, { query: { wait } });
  const effects = body as Effects;
  const end = effects.complete ? paint('green', 'complete') : paint('yellow', 'not complete');
  out.value(body, () => [...linesOf(effects, ''), end].join('\n'));
  return effects.complete ? 0 : 1;
};
