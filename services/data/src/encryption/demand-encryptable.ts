import type { FaultLocation } from '@causeway/contracts';
import { faults } from '@causeway/contracts';
import type { ClientSession, Collection, Db } from 'mongodb';

import type { Definition, DefinitionChange, DefinitionDocument } from '../collections/collection.model.ts';
import { changesCollection } from '../collections/collection.model.ts';
import { definitionBusy } from '../collections/collections.errors.ts';
import { readChange } from '../collections/definition-lock.ts';
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
  /** The service's database, for what is about to come. */
  readonly db: Db;
  readonly fieldKeys: Pick<FieldKeys, 'isThere'>;
  readonly fieldRoots: Pick<FieldRoots, 'areOurs'>;
}

const noKey = 'This installation has no key for encrypted fields: set `CAUSEWAY_FIELD_KEY` of the data service.';
const otherKey =
  'The `CAUSEWAY_FIELD_KEY` of this replica is not the one that the other encrypted fields are kept under: set the same at every replica of the ' +
  'data service. If that one is lost, remove the collections that have, or have had, encrypted fields first.';

type Encrypted = readonly Pick<DeclaredField, 'segments'>[];

const fault = (pointer: string, message: string, code = encryptedField): FaultLocation => ({ pointer, code, message });

const encryptedOf = ({ fields = {} }: Pick<Definition, 'fields'>): Encrypted =>
  Object.entries(fields).flatMap(([path, options]) =>
    (options as { readonly encrypted?: unknown }).encrypted === true ? [{ segments: path.split('.') }] : [],
  );

/** Whether rules of a collection ask a field of another one, whose record they follow a reference to. */
function asks(
  from: { readonly id: string; readonly definition: Definition },
  id: string,
  field: DeclaredField,
): boolean {
  return parseDefinition(from.definition).follows.all.some(
    (each) => targetOf(each, from) === id && encryptedAskedBy(each.operand.condition, [field]).length > 0,
  );
}

/**
 * Makes what refuses a definition whose encrypted fields this installation cannot keep, or that rules ask for which follow a reference: its own
 * in other collections, and those of others in this one.
 *
 * Of two definitions that come at once neither has to pass the other: whoever changes one says so (`pending`) before asking, and is met by the
 * other here, or meets it.
 *
 * @returns it throws Fault `invalid-request`, and `definition-busy` where it is a definition that is about to come which is in the way; `session`
 *   is of the transaction that creates the collection, which holds what it refers to
 */
export function createDemandEncryptable({ definitions, db, fieldKeys, fieldRoots }: DemandEncryptableDependencies) {
  const changes = db.collection<DefinitionChange>(changesCollection);
  /** A change whose process is gone is ended by this; one that was only slow is not committed then. */
  const pendingOf = async (id: string, session?: ClientSession): Promise<Definition | undefined> =>
    (session === undefined ? await readChange(db, id) : await changes.findOne({ _id: id }, { session }))?.pending;

  const followedElsewhere = async (
    { follows, fields }: CompiledDefinition,
    session?: ClientSession,
  ): Promise<readonly FaultLocation[]> => {
    const found: FaultLocation[] = [];
    for (const { operand, target } of follows.all) {
      const own = target === ownCollection ? encryptedIn(fields) : undefined;
      // What is about to come first: it may have come by the time that the definition is read, and not the other way round.
      const pending = own === undefined ? await pendingOf(target, session) : undefined;
      if (encryptedAskedBy(operand.condition, encryptedOf(pending ?? {})).length > 0) throw definitionBusy();
      const projection = { 'definition.fields': 1 };
      const there =
        own === undefined
          ? await definitions.findOne({ _id: target }, { projection, ...(session && { session }) })
          : null;
      for (const path of encryptedAskedBy(operand.condition, own ?? encryptedOf(there?.definition ?? {}))) {
        found.push(fault(operand.pointer, `\`${path}\` is stored encrypted there: no rule can ask for it.`));
      }
    }
    return found;
  };

  const followedFromElsewhere = async (
    id: string,
    encrypted: readonly DeclaredField[],
  ): Promise<readonly FaultLocation[]> => {
    for (const other of await changes.find({ 'pending.refersTo': id }, { projection: { _id: 1 } }).toArray()) {
      const pending = await pendingOf(other._id);
      if (pending === undefined) continue;
      if (encrypted.some((field) => asks({ id: other._id, definition: pending }, id, field))) throw definitionBusy();
    }
    const found: FaultLocation[] = [];
    for await (const { _id, name, definition } of definitions.find({ 'definition.refersTo': id })) {
      for (const field of encrypted) {
        if (!asks({ id: _id, definition }, id, field)) continue;
        const pointer = `${pointerTo('/fields', field.path)}/encrypted`;
        found.push(fault(pointer, `A rule of ${name} follows a reference to it, and asks for this field.`));
      }
    }
    return found;
  };

  return async (name: string, definition: CompiledDefinition, session?: ClientSession): Promise<void> => {
    const encrypted = encryptedIn(definition.fields);
    const errors: FaultLocation[] = [];
    const refuse = (message: string, code: string): void => {
      errors.push(...encrypted.map(({ path }) => fault(`${pointerTo('/fields', path)}/encrypted`, message, code)));
    };
    // In a transaction the root key is demanded by itself.
    if (!fieldKeys.isThere) refuse(noKey, 'no-field-key');
    else if (encrypted.length > 0 && session === undefined && !(await fieldRoots.areOurs()))
      refuse(otherKey, 'other-field-key');
    errors.push(...(await followedElsewhere(definition, session)));
    // Nobody refers to what is yet to be created.
    const isThere = encrypted.length > 0 && session === undefined;
    const current = isThere ? await definitions.findOne({ name }, { projection: { _id: 1 } }) : null;
    if (current !== null) errors.push(...(await followedFromElsewhere(current._id, encrypted)));
    if (errors.length > 0) throw faults.invalidRequest({ errors });
  };
}
