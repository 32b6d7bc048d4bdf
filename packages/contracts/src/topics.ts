/** The services that record events. */
export const services = ['auth', 'user', 'data'] as const;

/** A service that records events. */
export type ServiceName = (typeof services)[number];

/**
 * The topic of a service's events.
 *
 * @param service - such as `auth`
 */
export const topicOf = (service: string): string => `causeway.${service}`;

/** How long Kafka keeps an event: `retention.ms` of each topic of a service. */
export const eventRetentionMs = 7 * 24 * 3_600_000;

/** When a segment of such a topic is closed at the latest: `segment.ms`. Kafka drops whole segments, by their last event. */
export const eventSegmentMs = 23 * 3_600_000;

/** When Kafka has dropped an event for sure: with its segment, and an hour for the brokers to notice. */
export const eventGoneAfterMs = eventRetentionMs + 24 * 3_600_000;

/** The compacted topic that says which service handles which events. */
export const handlersTopic = 'causeway.handlers';

/**
 * The service that an event type belongs to: `user` for `user.profile.updated`.
 *
 * @param eventType - as in the envelope
 */
export const serviceOf = (eventType: string): string => eventType.slice(0, eventType.indexOf('.'));
