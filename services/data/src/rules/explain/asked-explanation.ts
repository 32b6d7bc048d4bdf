import { faults } from '@causeway/contracts';
import { z } from 'zod';

import { pointerTo } from '../../conditions/located-fault.ts';
import { checkFields } from '../../records/check-fields.ts';
import type { Judged } from '../../records/judge-record.ts';
import { boundFaults } from '../../records/record-faults.ts';
import { anonymous } from '../caller.ts';
import type { Caller } from '../rule.ts';

const text = z.string().max(256);
const texts = z.array(z.string().max(64)).max(50);

/** Somebody, by the names that `$auth` has for what is known of them. */
export const who = z.strictObject({
  sub: text.optional(),
  roles: texts.optional(),
  org: text.optional(),
  scope: texts.optional(),
  client_id: text.optional(),
  sid: text.optional(),
});

const time = z.iso.datetime({ offset: true });

/** A record as it is answered, or its fields alone. */
const record = z.looseObject({
  id: z.string().max(256).optional(),
  revision: z.int().min(1).optional(),
  createdAt: time.optional(),
  updatedAt: time.optional(),
  createdBy: text.optional(),
  updatedBy: text.optional(),
});

/** What is to be explained. */
export const explainBody = z.strictObject({
  who: z
    .union([z.literal('anonymous'), who])
    .describe('Whose rights are asked for, by the names of `$auth`; `"anonymous"` for somebody who is not signed in.'),
  collection: z.string(),
  action: z.enum(['read', 'create', 'update', 'delete']),
  id: z.string().optional().describe('Of a record that is there.'),
  record: record
    .optional()
    .describe('Instead of an id: a record as it is answered, or its fields; of `create`, its fields.'),
  change: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Of `update`: a merge patch. Without one only the record as it is is judged.'),
});

/** What is to be explained. */
export type ExplainBody = z.output<typeof explainBody>;

/** Makes somebody of what was said of them. */
export function callerFrom(given: ExplainBody['who']): Caller {
  if (given === 'anonymous') return anonymous;
  const { roles = [], ...rest } = given;
  const known = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    signedIn: true,
    administrator: roles.includes('admin'),
    auth: { ...(Object.fromEntries(known) as Caller['auth']), roles },
  };
}

/**
 * Refuses what says too much or too little: a record is named or given.
 *
 * @throws Fault `invalid-request`
 */
export function demandOneRecord({ action, id, record: given, change }: ExplainBody): void {
  const refuse = (pointer: string, message: string): Error =>
    faults.invalidRequest({ errors: [{ pointer, code: 'invalid-combination', message }] });
  if (action === 'create' && id !== undefined) throw refuse('/id', 'Give the fields as record: it is not there yet.');
  if (id !== undefined && given !== undefined) throw refuse('/record', 'Give either an id or a record.');
  if (id === undefined && given === undefined) throw refuse('/record', 'Give the id of a record, or a record.');
  if (change !== undefined && action !== 'update') throw refuse('/change', 'Leave it out: it is for update.');
}

/**
 * Checks fields that nobody has checked yet, as far as no schema can allow them.
 *
 * @param pointer - where they stand in the body
 * @throws Fault `invalid-request`
 */
export function demandFields(fields: unknown, pointer: string): asserts fields is Judged['fields'] {
  const found = checkFields(fields);
  if (found.length === 0) return;
  const errors = boundFaults(found).map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` }));
  throw faults.invalidRequest({ errors });
}

/**
 * Makes a record of one that was given, as if it were stored. What is not said of it is what a record has that was just created by
 * nobody.
 *
 * @throws Fault `invalid-request`
 */
export function recordFrom(given: NonNullable<ExplainBody['record']>, at: Date): Judged {
  const { id = '', revision = 1, createdAt, updatedAt, createdBy, updatedBy, ...fields } = given;
  demandFields(fields, pointerTo('', 'record'));
  const created = createdAt === undefined ? at : new Date(createdAt);
  return {
    _id: id,
    revision,
    fields,
    createdAt: created,
    updatedAt: updatedAt === undefined ? created : new Date(updatedAt),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(updatedBy === undefined ? {} : { updatedBy }),
  };
}
