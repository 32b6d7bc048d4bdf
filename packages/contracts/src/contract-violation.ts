import type { z } from 'zod';

/** An event, or what was meant to be one, does not keep to its contract. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
  readonly eventType: string;
  /** JSON pointers and sentences; never values, which may be secret. */
  readonly faults: readonly string[];

  constructor(eventType: string, faults: readonly string[], options?: ErrorOptions) {
    super(`${eventType} does not keep to its contract: ${faults.join('; ')}`, options);
    this.eventType = eventType;
    this.faults = faults;
  }
}

/** Where data is not as its schema has it: JSON pointers and codes, without the values. */
export const faultsOf = (error: z.ZodError): string[] =>
  error.issues.map((issue) => `/${issue.path.map(String).join('/')} ${issue.code}`);
