import { type EventEnvelope } from '@causeway/contracts';

/** Attributes that travel as `ce_` headers; `datacontenttype` travels as `content-type`. */
const attributes = [
  'specversion',
  'id',
  'type',
  'source',
  'subject',
  'sequence',
  'time',
  'dataschema',
  'correlationid',
  'causationid',
  'traceparent',
  'tracestate',
  'authtype',
  'authid',
  'batchid',
  'batchindex',
  'batchsize',
] as const satisfies readonly (keyof EventEnvelope)[];

const required = [
  'specversion',
  'id',
  'type',
  'source',
  'subject',
  'sequence',
  'time',
  'dataschema',
  'correlationid',
  'authtype',
] as const;

/** The headers of a record, by the attribute that each carries. `content-type` carries `datacontenttype`. */
export const binaryHeaders: readonly {
  readonly attribute: (typeof attributes)[number];
  readonly header: string;
  /** Whether every event has it. */
  readonly required: boolean;
}[] = attributes.map((attribute) => ({
  attribute,
  header: `ce_${attribute}`,
  required: required.some((each) => each === attribute),
}));

/** A record's parts in CloudEvents' binary content mode. */
export interface BinaryEvent {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
}

/** A record that is no event of ours. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent';
}

/**
 * An event as a Kafka record: CloudEvents' Kafka protocol binding 1.0.2, binary mode (§3.2). The key is the subject.
 */
export const toBinary = (event: EventEnvelope): BinaryEvent => {
  const headers: Record<string, string> = { 'content-type': event.datacontenttype };
  for (const name of attributes) {
    const value = event[name];
    if (value !== undefined) headers[`ce_${name}`] = value;
  }
  return { key: Buffer.from(event.subject), value: Buffer.from(JSON.stringify(event.data)), headers };
};

/**
 * Reads an event from a Kafka record.
 *
 * @param headers - of the record
 * @param value - JSON
 * @throws {@link MalformedEvent} - an attribute is missing, or the value is no JSON
 */
export const fromBinary = (headers: Readonly<Record<string, string>>, value: Uint8Array | null): EventEnvelope => {
  const event: Record<string, unknown> = { datacontenttype: headers['content-type'] ?? 'application/json' };
  for (const name of attributes) {
    const text = headers[`ce_${name}`];
    if (text !== undefined) event[name] = text;
  }
  const missing = required.filter((name) => event[name] === undefined);
  if (missing.length > 0)
    throw new MalformedEvent(`the record lacks ${missing.map((name) => `ce_${name}`).join(', ')}`);
  try {
    event.data = JSON.parse(Buffer.from(value ?? []).toString('utf8'));
  } catch (error) {
    throw new MalformedEvent('the value is not JSON', { cause: error });
  }
  return event as unknown as EventEnvelope;
};
