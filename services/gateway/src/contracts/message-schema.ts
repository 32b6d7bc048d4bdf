import { schemaUrn, serviceOf, type EventContract, type EventVersion } from '@causeway/contracts';
import { jsonSchemaOf, type JsonSchema } from '@causeway/contracts/released';
import { binaryHeaders } from '@causeway/events';

import { eventSchemas } from '../events/event-schemas.ts';

const literal = /[.*+?^${}()|[\]\\/]/g;

/** The subjects of a kind of thing, as the `subject` of an event and the key of its record. */
const subjectOf = (thing: string): JsonSchema => ({
  type: 'string',
  pattern: `^${thing.replaceAll(literal, String.raw`\$&`)}/.+$`,
  description: `The ${thing} that it is about, and the key of the record: the events of one are in one partition, in order.`,
});

/** The key of the Kafka records that carry a contract's events. */
export const keySchemaOf = ({ thing }: EventContract): JsonSchema => subjectOf(thing);

/**
 * The headers of the Kafka record that carries an event of this version: CloudEvents' Kafka protocol binding, binary content mode.
 *
 * @param contract - its type and thing
 * @param version - one of the contract's
 */
export const headersSchemaOf = (contract: EventContract, { version }: EventVersion): JsonSchema => {
  const { type, thing } = contract;
  const fixed: Readonly<Record<string, JsonSchema>> = {
    type: { const: type },
    source: { const: `/causeway/${serviceOf(type)}` },
    dataschema: { const: schemaUrn({ type, version }) },
    subject: subjectOf(thing),
    sequence: { pattern: String.raw`^\d{16}$` },
  };
  const described: Readonly<Record<string, JsonSchema>> = eventSchemas.Event.properties;
  const properties = Object.fromEntries(
    binaryHeaders.map(({ attribute, header }) => [
      header,
      { type: 'string', ...described[attribute], ...fixed[attribute] },
    ]),
  );
  return {
    type: 'object',
    required: ['content-type', ...binaryHeaders.filter(({ required }) => required).map(({ header }) => header)],
    properties: { 'content-type': { type: 'string', const: 'application/json' }, ...properties },
  };
};

/** References lead from the root of a schema; within a document that is where the schema stands. */
const rooted = (value: unknown, root: string): unknown => {
  if (Array.isArray(value)) return value.map((each) => rooted(each, root));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) =>
    key === '$ref' && typeof each === 'string' ? [key, each.replace(/^#/, root)] : [key, rooted(each, root)],
  );
  return Object.fromEntries(entries) as unknown;
};

/**
 * The data of this version's events, as a schema within an AsyncAPI document, whose own form is a superset of draft-07
 * (AsyncAPI 3.0.0, Schema Object).
 *
 * @param root - JSON pointer of where it stands in the document
 */
export const payloadSchemaOf = (contract: EventContract, version: EventVersion, root: string): JsonSchema => {
  const { $schema: _dialect, $id: _id, ...schema } = jsonSchemaOf(contract, version, 'draft-07');
  return rooted(schema, root) as JsonSchema;
};
