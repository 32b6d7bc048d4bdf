import type { z } from 'zod';

import { jsonPointer } from './json-pointer.ts';

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

/** Properties that one fault names; whoever recorded it may have spread anything. */
const mostKeys = 20;

/** Characters of a pointer that a fault tells: a key may be as long as the event. */
const mostCharacters = 200;

const shortened = (text: string): string => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text);

/** The whole has the empty pointer, which nobody would see. */
const placeOf = (path: readonly PropertyKey[]): string => shortened(jsonPointer(path)) || '"" (the whole of it)';

/** Where data is not as its schema has it: JSON pointers (RFC 6901) and codes, without the values. A property that is too much is pointed at itself. */
export const faultsOf = (error: z.ZodError): string[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, mostKeys).map((key) => `${placeOf([...issue.path, key])} ${issue.code}`)
      : [`${placeOf(issue.path)} ${issue.code}`],
  );
