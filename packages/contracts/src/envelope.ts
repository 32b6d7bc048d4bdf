/** Who acted: CloudEvents' auth context extension. */
export interface Principal {
  /** `app_user` are people; `system` is Causeway itself. */
  readonly type: 'app_user' | 'service_account' | 'api_key' | 'system';
  /** Whose id; absent for `system`. */
  readonly id?: string;
}

/** Why something is written: handed to every recorded write, and found again in the event's attributes. */
export interface Cause {
  /** The request id, or the correlation id of the event that is being handled. */
  readonly correlationId: string;
  /** The event that is being handled; absent where a request is. */
  readonly causationId?: string;
  readonly principal: Principal;
}

/**
 * An event as it is stored, published and read: CloudEvents 1.0 with the extensions `sequence`, `correlationid`,
 * `causationid`, distributed tracing and auth context, and our own three of a batch. Over Kafka the attributes travel as `ce_` headers
 * (binary mode).
 */
export interface EventEnvelope<Data = unknown> {
  readonly specversion: '1.0';
  /** UUIDv7. */
  readonly id: string;
  /** Service, thing, past tense: `user.profile.updated`. */
  readonly type: string;
  /** `/causeway/<service>`. */
  readonly source: string;
  /** The thing and its id, `profile/usr_…`; also the Kafka key. */
  readonly subject: string;
  /** The subject's revision as a decimal string of {@link sequenceDigits} digits, so that text order is numeric order. */
  readonly sequence: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Names the contract and its version: `urn:causeway:contract:user.profile.updated:1`. */
  readonly dataschema: string;
  /** The request, or the first event, that everything downstream goes back to. */
  readonly correlationid: string;
  /** The event that directly caused this one; absent where a request did. */
  readonly causationid?: string;
  /** W3C trace context of the write. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly authtype: Principal['type'];
  readonly authid?: string;
  /** UUIDv7 of the batch that it was recorded in: all its events are one commit. It and the next two are there together, or none is. */
  readonly batchid?: string;
  /** Its place in the order of the batch, as a decimal string: `0`, `1`, … */
  readonly batchindex?: string;
  /** How many events the batch has, as a decimal string. */
  readonly batchsize?: string;
  readonly data: Data;
}

/** Digits of {@link EventEnvelope.sequence}: enough for 2⁵³ − 1, the largest exact integer of a double. */
export const sequenceDigits = 16;

/**
 * A revision as the envelope's `sequence`.
 *
 * @param revision - a positive integer
 */
export const toSequence = (revision: number): string => String(revision).padStart(sequenceDigits, '0');

/**
 * The revision that a `sequence` stands for.
 *
 * @param sequence - as in the envelope
 */
export const fromSequence = (sequence: string): number => Number.parseInt(sequence, 10);
