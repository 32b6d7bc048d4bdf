import type { FaultLocation } from '@causeway/contracts';
import { faults } from '@causeway/contracts';
import type { Collection } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import type { CompiledDefinition } from '../collections/parse-definition.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { ownCollection } from '../fields/declared-field.ts';
import { targetOf } from '../rules/follow/follows.ts';
import { encryptedAskedBy, encryptedField } from './check-encrypted.ts';
import type { FieldKeys } from './field-keys.ts';
import type { FieldRoots } from './field-roots.ts';
import { encryptedIn } from './sealed-fields.ts';

/** What {@link createDemandEncryptable} is given. */
export interface DemandEncryptableDependencies {
  readonly definitions: Pick<Collection<DefinitionDocument>, 'findOne' | 'find'>;
  readonly fieldKeys: Pick<FieldKeys, 'isThere'>;
  readonly fieldRoots: Pick<FieldRoots, 'areOurs'>;
}

const noKey = 'This installation has no key for encrypted fields: set `CAUSEWAY_FIELD_KEY` of the data service.';
const otherKey =
  'The `CAUSEWAY_FIELD_KEY` of this replica is not the one that the other encrypted fields are kept under: set the same at every replica of the ' +
  'data service. If that one is lost, remove the collections with encrypted fields first.';

const fault = (pointer: string, message: string, code = encryptedField): FaultLocation => ({ pointer, code, message });

/**
 * Makes what refuses a definition whose encrypted fields this installation cannot keep, or that rules ask for which follow a reference: its own
 * in other collections, and those of others in this one.
 *
 * @returns it throws Fault `invalid-request`
 */
export function createDemandEncryptable({ definitions, fieldKeys, fieldRoots }: DemandEncryptableDependencies) {
  /** The encrypted fields of a collection that is referred to. */
  const encryptedOf = async (target: string): Promise<readonly Pick<DeclaredField, 'segments'>[]> => {
    const there = await definitions.findOne({ _id: target }, { projection: { 'definition.fields': 1 } });
    return Object.entries(there?.definition.fields ?? {}).flatMap(([path, options]) =>
      (options as { readonly encrypted?: unknown }).encrypted === true ? [{ segments: path.split('.') }] : [],
    );
  };

  const followedElsewhere = async ({ follows, fields }: CompiledDefinition): Promise<readonly FaultLocation[]> => {
    const found: FaultLocation[] = [];
    for (const { operand, target } of follows.all) {
      const encrypted = target === ownCollection ? encryptedIn(fields) : await encryptedOf(target);
      for (const path of encryptedAskedBy(operand.condition, encrypted)) {
        found.push(fault(operand.pointer, `\`${path}\` is stored encrypted there: no rule can ask for it.`));
      }
    }
    return found;
  };

  const followedFromElsewhere = async (
    id: string,
    encrypted: readonly DeclaredField[],
  ): Promise<readonly FaultLocation[]> => {
    const found: FaultLocation[] = [];
    for await (const other of definitions.find({ 'definition.refersTo': id })) {
      const { follows } = parseDefinition(other.definition);
      const conditions = follows.all
        .filter((each) => targetOf(each, { id: other._id }) === id)
        .map(({ operand }) => operand.condition);
      for (const field of encrypted) {
        if (!conditions.some((condition) => encryptedAskedBy(condition, [field]).length > 0)) continue;
        const pointer = `${pointerTo('/fields', field.path)}/encrypted`;
        found.push(fault(pointer, `A rule of ${other.name} follows a reference to it, and asks for this field.`));
      }
    }
    return found;
  };

  return async (name: string, definition: CompiledDefinition): Promise<void> => {
    const encrypted = encryptedIn(definition.fields);
    const errors: FaultLocation[] = [];
    const refuse = (message: string, code: string): void => {
      errors.push(...encrypted.map(({ path }) => fault(`${pointerTo('/fields', path)}/encrypted`, message, code)));
    };
    if (!fieldKeys.isThere) refuse(noKey, 'no-field-key');
    else if (encrypted.length > 0 && !(await fieldRoots.areOurs())) refuse(otherKey, 'other-field-key');
    errors.push(...(await followedElsewhere(definition)));
    const current = encrypted.length === 0 ? null : await definitions.findOne({ name }, { projection: { _id: 1 } });
    if (current !== null) errors.push(...(await followedFromElsewhere(current._id, encrypted)));
    if (errors.length > 0) throw faults.invalidRequest({ errors });
  };
}
