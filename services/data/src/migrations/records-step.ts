import { Fault, faults } from '@causeway/contracts';
import type { Decision } from '@causeway/events';

import type { Collection } from '../collections/collection-registry.ts';
import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Parsed } from '../conditions/located-fault.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { demandPlain } from '../encryption/demand-plain.ts';
import { outermostFaults } from '../encryption/outermost-faults.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import { openFields, sealFields } from '../encryption/seal-fields.ts';
import { demandPlaces } from '../queries/required-indexes.ts';
import { checkRecord } from '../records/judge-record.ts';
import type { Fields, RecordDocument } from '../records/record.model.ts';
import { updated } from '../records/records.events.ts';
import { stateOfRecord } from '../records/record-state.ts';
import { referencesOf } from '../references/declared-references.ts';
import type { NamedRecord } from '../references/referenced-ids.ts';
import { newlyNamed } from '../references/referenced-ids.ts';
import { decisionUnits } from '../rules/rule.ts';
import { ruleTooCostly } from '../rules/rules.errors.ts';
import { applyMigration } from './apply-migration.ts';
import { parseMigrationOperators } from './migration-operators.ts';
import type { StepKind } from './step.ts';
import { toldInClear } from './told-in-clear.ts';

/** A change of a record that has been decided. */
export interface DecidedChange {
  readonly decision: Decision<RecordDocument>;
  /** The records of others that it names anew. */
  readonly named: readonly NamedRecord[];
}

/** A step that goes through the records of a collection. */
export interface RecordsStep {
  readonly kind: 'change' | 'remove';
  /** The collection's name. */
  readonly collection: string;
  /**
   * Makes sure that its filter asks for nothing that the collection stores encrypted, and that it does not say what that is to hold.
   *
   * @throws Fault `invalid-request`
   */
  readonly demandPlain: (collection: Collection) => void;
  /** Whether it is about a record. @throws Fault `rule-too-costly` */
  readonly isMet: (document: RecordDocument) => boolean;
  /**
   * What becomes of a record, which has to keep to its definition then.
   *
   * @returns undefined where nothing does
   * @throws the fault of a call that would make the same of it
   */
  readonly decide: (
    collection: Collection,
    document: RecordDocument,
    by: string | undefined,
  ) => DecidedChange | undefined;
}

/** What was stored has been checked: that it cannot be read is the version's. */
function known<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw faults.invalidRequest({ errors: parsed.faults });
}

/** What is in the way is kept with the migration. @throws what `checkRecord` does, without names within what is stored encrypted */
function demandKept(of: Collection, fields: unknown): asserts fields is Fields {
  try {
    checkRecord(of, fields);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== faults.invalidRequest.declaration.code) throw error;
    throw faults.invalidRequest({ errors: outermostFaults(error.errors, of.fields, of.pending?.fields) });
  }
}

/**
 * Reads a step.
 *
 * @param begunAt - what `$now` means in its filter
 */
export function readRecordsStep(own: StepKind & { readonly kind: 'change' | 'remove' }, begunAt: Date): RecordsStep {
  const { collection, filter = {} } = own.kind === 'change' ? own.change : own.remove;
  const asked = known(parseCondition(filter, { now: true, geo: true }));
  const condition = bindCondition(asked, { at: begunAt });
  const demandStep = (of: Collection): void => {
    const { fields } = of;
    demandPlaces(of, { condition });
    demandPlain(fields, { filter: asked }, (part) => ({ pointer: `/${own.kind}/${part}` }));
    if (own.kind === 'remove') return;
    // It may have been encrypted since the migration was sent.
    const errors = toldInClear(own.change.operators, encryptedPaths(fields), '/change/operators');
    if (errors.length > 0) throw faults.invalidRequest({ errors });
  };
  const isMet = (document: RecordDocument): boolean => {
    try {
      return compilePredicate(condition, createBudget(decisionUnits))(document);
    } catch (error) {
      throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
    }
  };
  const about = { collection, isMet, demandPlain: demandStep };
  if (own.kind === 'remove') return { kind: 'remove', ...about, decide: () => undefined };
  const operators = known(parseMigrationOperators(own.change.operators, '/operators'));
  return {
    kind: 'change',
    ...about,
    decide(of, document, by) {
      if (!isMet(document)) return undefined;
      const whole = openFields(of, document);
      const fields = applyMigration(whole, operators);
      if (fields === undefined) return undefined;
      demandKept(of, fields);
      const { createdBy } = document;
      const state = stateOfRecord(of, {
        ...sealFields(of, { id: document._id, fields, before: { sealed: document.sealed, fields: whole } }),
        ...(createdBy === undefined ? {} : { createdBy }),
        ...(by === undefined ? {} : { updatedBy: by }),
      });
      const named = newlyNamed(referencesOf(of), document.fields, fields).filter(
        ({ target, id }) => target !== of.id || id !== document._id,
      );
      return { decision: { state, event: updated(of, document, state, { reason: 'migration' }) }, named };
    },
  };
}
