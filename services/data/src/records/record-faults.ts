import type { LocatedFault } from '../conditions/located-fault.ts';

/** Bounds of what an answer tells of a record: it must not be many times what was sent. */
const limits = { faults: 100, pointerLength: 512, messageLength: 512 };

/** The faults as an answer tells them: the first 100, what is long in them cut. */
export const boundFaults = (faults: readonly LocatedFault[]): LocatedFault[] =>
  faults.slice(0, limits.faults).map((fault) => ({
    ...fault,
    pointer: cut(fault.pointer, limits.pointerLength),
    message: cut(fault.message, limits.messageLength),
  }));

/** Cuts a text. Never through a surrogate pair: half of one has no form in UTF-8. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…`;
