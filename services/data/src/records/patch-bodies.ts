import { faults } from '@causeway/contracts';
import { z } from 'zod';

import { applyOperators } from '../operators/apply-operators.ts';
import { operatorsType, parseOperators } from '../operators/parse-operators.ts';
import { applyJsonPatch, jsonPatch, jsonPatchType } from './json-patch.ts';
import { mergePatch, mergePatchType } from './merge-patch.ts';
import type { Fields } from './record.model.ts';

/** The patches that a call takes, by media type. */
export const patchBodies = {
  [mergePatchType]: z.record(z.string(), z.unknown()),
  [jsonPatchType]: jsonPatch,
  [operatorsType]: z.record(z.string(), z.unknown()),
};

/** A patch as a call takes it. */
export type PatchBody =
  | { readonly mediaType: typeof mergePatchType | typeof operatorsType; readonly value: unknown }
  | { readonly mediaType: typeof jsonPatchType; readonly value: z.output<typeof jsonPatch> };

/** What a patch does. */
export interface Patch {
  /** What it makes of a record's fields. */
  readonly change: (fields: Fields) => unknown;
  /** Whether it means the same whatever is there. */
  readonly isAtomic: boolean;
}

/**
 * Reads a patch.
 *
 * @throws Fault `invalid-request` where it is made of operators, and they are none
 */
export function patchOf(body: PatchBody): Patch {
  switch (body.mediaType) {
    case mergePatchType:
      return { change: (fields) => mergePatch(fields, body.value), isAtomic: false };
    case jsonPatchType:
      return { change: (fields) => applyJsonPatch(fields, body.value), isAtomic: false };
    case operatorsType: {
      const operators = parseOperators(body.value);
      if (!operators.ok) throw faults.invalidRequest({ errors: operators.faults });
      return { change: (fields) => applyOperators(fields, operators.value), isAtomic: true };
    }
  }
}
