import { serviceOf, topicOf, type EventEnvelope } from '@causeway/contracts';

import type { FetchedRecord } from '../kafka/port.ts';
import { slotOf } from '../relay/slot.ts';
import { fromBinary, MalformedEvent } from './binary-mode.ts';

/** Kafka takes no larger one, unless somebody has told it to; an event that we record stays far below. */
const valueBytes = 4 * 1024 * 1024;

/** MongoDB keeps 100 levels, and an event is kept within a row. */
const mostLevels = 90;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const sixteenDigits = /^\d{16}$/;
/** A decimal number without leading zeros. */
const count = /^(?:0|[1-9]\d{0,8})$/;
/** RFC 3339, as CloudEvents 1.0 §3.1 has it. */
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const json = /^application\/json\s*(;|$)/i;
const principals: ReadonlySet<string> = new Set<EventEnvelope['authtype']>([
  'app_user',
  'service_account',
  'api_key',
  'system',
]);

/** Whether a text is a revision, as an event's `sequence` has it. */
export const isSequence = (text: string | undefined): text is string =>
  text !== undefined && sixteenDigits.test(text) && Number.isSafeInteger(Number(text)) && Number(text) > 0;

/** Whether MongoDB can keep the data, where it has to be parked. */
const isStorable = (data: unknown): boolean => {
  const rest: { value: unknown; level: number }[] = [{ value: data, level: 1 }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { value, level } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (level > mostLevels) return false;
    for (const [key, each] of Object.entries(value)) {
      if (key.includes('\0')) return false;
      rest.push({ value: each, level: level + 1 });
    }
  }
  return true;
};

/** What is wrong with an event's place in its batch; undefined where nothing is, or where it is in none. */
const faultOfBatch = ({ batchid, batchindex, batchsize }: EventEnvelope): string | undefined => {
  const given = [batchid, batchindex, batchsize].filter((each) => each !== undefined);
  if (given.length === 0) return undefined;
  if (given.length < 3) return 'of ce_batchid, ce_batchindex and ce_batchsize some are missing';
  if (!uuid.test(batchid ?? '')) return 'ce_batchid is no UUID in lower case';
  if (!count.test(batchsize ?? '') || batchsize === '0') return 'ce_batchsize is no number from 1 on';
  if (!count.test(batchindex ?? '') || Number(batchindex) >= Number(batchsize)) {
    return 'ce_batchindex is no place in the batch: from 0 on, below ce_batchsize';
  }
  return undefined;
};

/** What is wrong with the attributes of an event, whoever has sent it; undefined where nothing is. */
const faultOfAttributes = (event: EventEnvelope): string | undefined => {
  const {
    specversion,
    id,
    time: at,
    authtype,
    datacontenttype,
  } = event as Readonly<Record<string, unknown>> & EventEnvelope;
  if ((specversion as string) !== '1.0') return 'ce_specversion is not 1.0';
  if (!uuid.test(id)) return 'ce_id is no UUID in lower case';
  if (!isSequence(event.sequence)) return 'ce_sequence is no revision: sixteen digits, from 1 on';
  if (!time.test(at) || Number.isNaN(Date.parse(at))) return 'ce_time is no time of RFC 3339';
  if (!principals.has(authtype)) return 'ce_authtype is none that is known';
  if (!json.test(datacontenttype)) return 'content-type is not application/json';
  return faultOfBatch(event);
};

/** Whether an event may be where it was found. */
const faultOfPlace = (event: EventEnvelope, record: FetchedRecord, partitions: number): string | undefined => {
  const service = serviceOf(event.type);
  if (topicOf(service) !== record.topic) return 'ce_type belongs to another service than the topic';
  if (event.source !== `/causeway/${service}`) return 'ce_source is not the service whose topic it is';
  // Where it belongs others of its subject may come before it, or after: in no order that anybody could keep.
  if (slotOf(event.subject, partitions) !== record.partition) return 'ce_subject belongs to another partition';
  return undefined;
};

/**
 * Reads an event where it has arrived. Whoever can write to a topic can write anything: what the rest relies on is checked here, so that a
 * record which does not keep to it is parked by its place, and the partition goes on. A type that nobody handles is no fault: producers
 * are deployed before those who handle what is new.
 *
 * @param partitions - of the topic
 * @throws {@link MalformedEvent}
 */
export const readRecord = (record: FetchedRecord, partitions: number): EventEnvelope => {
  const { headers, value, doubled = [] } = record;
  if ((value?.length ?? 0) > valueBytes) throw new MalformedEvent(`the value has more than ${valueBytes} bytes`);
  const twice = doubled.filter((name) => name.startsWith('ce_') || name === 'content-type');
  if (twice.length > 0) throw new MalformedEvent(`headers that come twice: ${[...new Set(twice)].join(', ')}`);
  const event = fromBinary(headers, value);
  const fault = faultOfAttributes(event) ?? faultOfPlace(event, record, partitions);
  if (fault !== undefined) throw new MalformedEvent(fault);
  if (!isStorable(event.data)) throw new MalformedEvent('the value cannot be kept: too deep, or a name with a NUL');
  return event;
};
