import { checkRead } from '../check-read.ts';
import { checkRecorded } from '../check-recorded.ts';
import { ContractViolation } from '../contract-violation.ts';
import type { EventEnvelope } from '../envelope.ts';
import { schemaUrn, type EventContract, type EventData, type EventVersion } from '../event-contract.ts';
import { serviceOf } from '../topics.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Samples } from './released-contracts.ts';
import { asSchema } from './schema-change.ts';

/**
 * An event as it would have been recorded, around a sample of its data.
 *
 * @param contract - its type and thing
 * @param version - under which it was recorded
 */
export const sampleEvent = (
  { type, thing }: Pick<EventContract, 'type' | 'thing'>,
  version: number,
  data: EventData,
): EventEnvelope => ({
  specversion: '1.0',
  id: '019ae5c0-7c00-7000-8000-000000000001',
  type,
  source: `/causeway/${serviceOf(type)}`,
  subject: `${thing}/sample`,
  sequence: '0000000000000001',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  dataschema: schemaUrn({ type, version }),
  correlationid: '019ae5c0-7c00-7000-8000-000000000000',
  authtype: 'system',
  data,
});

const faultOf = (check: () => unknown): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ContractViolation) return error.faults.join('; ');
    throw error;
  }
};

/**
 * Whether the golden samples of a released version are still read by the contract as it is now.
 *
 * @returns what is wrong, in words; nothing where all is well
 */
export const unreadable = (contract: EventContract, version: number, samples: Samples): readonly string[] =>
  Object.entries(samples).flatMap(([name, data]) => {
    const fault = faultOf(() => checkRead(contract, sampleEvent(contract, version, data)));
    return fault === undefined ? [] : [`the sample \`${name}\` can no longer be read: ${fault}`];
  });

const propertiesOf = (
  schema: JsonSchema,
): { readonly all: readonly string[]; readonly required: readonly string[] } => ({
  all: Object.keys(asSchema(schema.properties)),
  required: Array.isArray(schema.required) ? (schema.required as readonly string[]) : [],
});

/**
 * Whether samples show a version whole: each is as it would be recorded, every property is in one of them, and where some are optional one
 * sample is without any.
 *
 * @returns what is missing or wrong, in words
 */
export const unfit = (
  contract: EventContract,
  version: EventVersion,
  schema: JsonSchema,
  samples: Samples,
): readonly string[] => {
  const { all, required } = propertiesOf(schema);
  const datas = Object.values(samples);
  if (datas.length === 0) return ['there is no sample'];
  const shown = new Set(datas.flatMap((data) => Object.keys(data)));
  const missing = all.filter((name) => !shown.has(name));
  const isMinimal = (data: EventData): boolean => Object.keys(data).every((name) => required.includes(name));
  const own: EventContract = { ...contract, version: version.version, schema: version.schema };
  return [
    ...Object.entries(samples).flatMap(([name, data]) => {
      const fault = faultOf(() => checkRecorded(own, data));
      return fault === undefined ? [] : [`the sample \`${name}\` would not be recorded: ${fault}`];
    }),
    ...(missing.length === 0 ? [] : [`no sample has ${missing.map((name) => `\`${name}\``).join(', ')}`]),
    ...(datas.some(isMinimal) ? [] : ['no sample is without all that is optional']),
  ];
};
