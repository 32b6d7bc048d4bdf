import { z } from 'zod';

import type { EventEnvelope } from './envelope.ts';

/** The shape of an event's data. */
export type EventData = Readonly<Record<string, unknown>>;

/** An event type with the schema of its data: the only thing that services share about each other. */
export interface EventContract<Data extends EventData = EventData> {
  /** `user.profile.updated`: service, thing, past tense. */
  readonly type: string;
  /** Within a version a contract changes only compatibly: optional properties may be added. */
  readonly version: number;
  /** The kind of thing that the subject names: `profile` in `profile/usr_…`. */
  readonly thing: string;
  /** One sentence for the reader of the catalogue. */
  readonly description: string;
  readonly schema: z.ZodType<Data>;
}

/** An event whose data has been checked against its contract. */
export type EventOf<Contract> = Contract extends EventContract<infer Data> ? EventEnvelope<Data> : never;

/** The data of a contract's events. */
export type DataOf<Contract> = Contract extends EventContract<infer Data> ? Data : never;

interface EventDeclaration<Shape extends z.ZodRawShape> {
  readonly type: string;
  readonly version: number;
  readonly thing: string;
  readonly description: string;
  readonly data: Shape;
}

/**
 * Declares an event.
 *
 * @param declaration - type, version, thing, description, and the shape of its data
 */
export const defineEvent = <Shape extends z.ZodRawShape>(
  declaration: EventDeclaration<Shape>,
): EventContract<z.output<z.ZodObject<Shape>>> => {
  const { data, ...rest } = declaration;
  return { ...rest, schema: z.object(data) };
};

/** The `dataschema` attribute of a contract's events. */
export const schemaUrn = (contract: Pick<EventContract, 'type' | 'version'>): string =>
  `urn:causeway:contract:${contract.type}:${contract.version}`;

/** An event, or what was meant to be one, does not keep to its contract. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
  readonly eventType: string;
  /** JSON pointers and sentences; never values, which may be secret. */
  readonly faults: readonly string[];

  constructor(eventType: string, faults: readonly string[]) {
    super(`${eventType} does not keep to its contract: ${faults.join('; ')}`);
    this.eventType = eventType;
    this.faults = faults;
  }
}

const describe = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `/${issue.path.map(String).join('/')} ${issue.code}`);

const strictSchemas = new WeakMap<EventContract, z.ZodType>();

/** A contract's schema that takes no other properties; made once, since Zod compiles each schema that it makes. */
const strictSchema = (contract: EventContract): z.ZodType => {
  const known = strictSchemas.get(contract);
  if (known !== undefined) return known;
  const strict = contract.schema instanceof z.ZodObject ? contract.schema.strict() : contract.schema;
  strictSchemas.set(contract, strict);
  return strict;
};

/**
 * Checks data that is about to be recorded: strict, so that a property which the contract does not name is refused.
 *
 * @returns the data as the contract has it
 * @throws {@link ContractViolation}
 */
export const checkRecorded = <Data extends EventData>(contract: EventContract<Data>, data: Data): Data => {
  const result = strictSchema(contract).safeParse(data);
  if (!result.success) throw new ContractViolation(contract.type, describe(result.error));
  return result.data as Data;
};

/**
 * Checks an event that was read: properties that this reader does not know yet are left out, as compatible change demands.
 *
 * @returns the event with data as the contract has it
 * @throws {@link ContractViolation}
 */
export const checkRead = <Data extends EventData>(
  contract: EventContract<Data>,
  event: EventEnvelope,
): EventEnvelope<Data> => {
  if (event.dataschema !== schemaUrn(contract)) {
    throw new ContractViolation(event.type, [
      `this reader knows ${schemaUrn(contract)}, the event is ${event.dataschema}`,
    ]);
  }
  const result = contract.schema.safeParse(event.data);
  if (!result.success) throw new ContractViolation(contract.type, describe(result.error));
  return { ...event, data: result.data };
};
