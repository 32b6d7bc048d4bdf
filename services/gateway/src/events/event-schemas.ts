const text = { type: 'string' } as const;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` }) as const;

/** Shapes that are referred to by name: they hold each other. For the document's components. */
export const eventSchemas = {
  Event: {
    type: 'object',
    description: 'An event: CloudEvents 1.0 in structured mode, with its extensions.',
    required: [
      'specversion',
      'id',
      'type',
      'source',
      'subject',
      'sequence',
      'time',
      'datacontenttype',
      'dataschema',
      'correlationid',
      'authtype',
      'data',
    ],
    properties: {
      specversion: { const: '1.0' },
      id: { ...text, description: 'UUIDv7.' },
      type: { ...text, description: 'Service, thing, past tense: `user.profile.updated`.' },
      source: text,
      subject: { ...text, description: 'The thing that it is about.' },
      sequence: { ...text, description: "The thing's revision." },
      time: { ...text, format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      dataschema: {
        ...text,
        description:
          'The contract and its version; `urn:causeway:redacted` where the person whom it was about was erased: `data` is `{redactedAt}` then.',
      },
      correlationid: { ...text, description: 'The request that it goes back to.' },
      causationid: { ...text, description: 'The event that caused it; absent where a request did.' },
      traceparent: text,
      tracestate: text,
      authtype: { ...text, description: 'What kind of principal acted.' },
      authid: { ...text, description: 'Who acted.' },
      batchid: { ...text, description: 'The batch that it was recorded in: all its events are one commit.' },
      batchindex: { ...text, description: 'Its place in the order of the batch: `0`, `1`, …' },
      batchsize: { ...text, description: 'How many events the batch has.' },
      data: {},
    },
  },
  HandlerEffect: {
    type: 'object',
    required: ['service', 'handler', 'status', 'attempts'],
    properties: {
      service: text,
      handler: text,
      status: {
        ...text,
        description:
          '`done`, `retrying`, `parked`, `discarded` or `pending`; `outside` where the handler belongs to a service that is none of the ' +
          "platform's: it cannot be asked, and is neither waited for nor counted in `complete`.",
      },
      attempts: { type: 'integer' },
      at: { ...text, format: 'date-time' },
      error: { ...text, description: 'For administrators.' },
    },
  },
  ScheduledEvent: {
    type: 'object',
    description: 'An event that this one has announced, while it waits for its time; then it is among `caused`.',
    required: ['timerId', 'type', 'deliverAt'],
    properties: {
      timerId: text,
      type: { ...text, description: 'Of the event to come.' },
      deliverAt: { ...text, format: 'date-time' },
    },
  },
  Effects: {
    type: 'object',
    required: ['event', 'handlers', 'caused', 'complete'],
    properties: {
      event: ref('Event'),
      handlers: { type: 'array', items: ref('HandlerEffect') },
      scheduled: ref('ScheduledEvent'),
      caused: { type: 'array', items: ref('Effects') },
      complete: {
        type: 'boolean',
        description:
          'Every registered handler of it, and of all below, has finished. What is `scheduled` for later is not waited for, nor are ' +
          'handlers that are `outside`.',
      },
      cut: {
        const: true,
        description:
          'Events are left out, here or below: an answer shows 500, and 4 MiB of them, nearest to the top first. They count for `complete` all the same.',
      },
    },
  },
} as const;

/** A schema that refers to one of {@link eventSchemas}. */
export const eventSchema = (name: keyof typeof eventSchemas): Readonly<Record<string, unknown>> => ref(name);

/** A page of events. */
export const eventListSchema: Readonly<Record<string, unknown>> = {
  type: 'object',
  required: ['items', 'nextCursor'],
  properties: { items: { type: 'array', items: ref('Event') }, nextCursor: { type: ['string', 'null'] } },
};
