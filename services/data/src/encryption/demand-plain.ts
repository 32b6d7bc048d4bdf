import type { FaultLocation } from '@causeway/contracts';
import { faults } from '@causeway/contracts';

import type { FieldPath } from '../conditions/field-path.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import type { AskedOf, AskedPart } from '../rules/asked-of.ts';
import { encryptedAskedBy, encryptedField } from './check-encrypted.ts';
import { encryptedIn, overlap } from './sealed-fields.ts';

const message = (path: string): string =>
  `Leave \`${path}\` out: it is stored encrypted, or a part of it is, and nothing can be found, put in order or computed by it.`;

function refuse(errors: readonly FaultLocation[]): void {
  if (errors.length > 0) throw faults.invalidRequest({ errors });
}

/**
 * Refuses to find or order records by what is stored encrypted, whoever asks and whatever the records are.
 *
 * @param place - says where each part was sent
 * @throws Fault `invalid-request`
 */
export function demandPlain(
  fields: readonly DeclaredField[],
  { filter, sort = [], ranked = [] }: AskedOf,
  place: (part: AskedPart) => { readonly parameter?: string; readonly pointer?: string },
): void {
  const encrypted = encryptedIn(fields);
  if (encrypted.length === 0) return;
  const fault = (part: AskedPart, path: string): FaultLocation => ({
    ...place(part),
    code: encryptedField,
    message: message(path),
  });
  const isAsked = ({ path }: { readonly path: FieldPath }): boolean => isEncrypted(path, encrypted);
  refuse([
    ...encryptedAskedBy(filter, encrypted).map((path) => fault('filter', path)),
    ...sort.filter(isAsked).map(({ path }) => fault('sort', path.text)),
    ...ranked.filter(isAsked).map(({ path, part }) => fault(part, path.text)),
  ]);
}

/**
 * Refuses to make something of fields that are stored encrypted.
 *
 * @throws Fault `invalid-request`
 */
export function demandComputablePlain(
  fields: readonly DeclaredField[],
  asked: readonly { readonly path: FieldPath; readonly pointer: string }[],
): void {
  const encrypted = encryptedIn(fields);
  refuse(
    asked
      .filter(({ path }) => isEncrypted(path, encrypted))
      .map(({ path, pointer }) => ({ pointer, code: encryptedField, message: message(path.text) })),
  );
}

const isEncrypted = (
  { segments: [root, ...segments] }: FieldPath,
  encrypted: readonly Pick<DeclaredField, 'segments'>[],
): boolean => root === fieldsKey && encrypted.some((each) => overlap(each.segments, segments));
