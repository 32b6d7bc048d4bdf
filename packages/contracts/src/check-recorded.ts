import { z } from 'zod';

import { ContractViolation, faultsOf } from './contract-violation.ts';
import type { EventContract, EventData, EventVersion } from './event-contract.ts';

const strictSchemas = new WeakMap<EventVersion, z.ZodType>();

/** A version's schema that takes no other properties; made once, since Zod compiles each schema that it makes. */
const strictSchema = (version: EventVersion): z.ZodType => {
  const known = strictSchemas.get(version);
  if (known !== undefined) return known;
  const strict = version.schema instanceof z.ZodObject ? version.schema.strict() : version.schema;
  strictSchemas.set(version, strict);
  return strict;
};

/**
 * Checks data that is about to be recorded, which is of the newest version: strict, so that a property which the contract does not
 * name is refused.
 *
 * @returns the data as the contract has it
 * @throws {@link ContractViolation}
 */
export const checkRecorded = <Data extends EventData>(contract: EventContract<Data>, data: Data): Data => {
  const result = strictSchema(contract).safeParse(data);
  if (!result.success) throw new ContractViolation(contract.type, faultsOf(result.error));
  return result.data as Data;
};
