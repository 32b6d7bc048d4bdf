import type { Timestamp } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import type { LocatedFault } from '../conditions/located-fault.ts';
import { refused } from '../queries/refuse-query.ts';
import type { FaultPlace } from '../queries/refuse-query.ts';
import type { FindCurrentById } from '../records/find-current.ts';
import { findCurrentById } from '../records/find-current.ts';
import type { DeclaredReference } from '../references/declared-references.ts';
import { referencesIn } from '../references/declared-references.ts';
import type { Caller } from '../rules/rule.ts';
import { canEver } from '../rules/rule.ts';
import { isNeverSeen } from '../rules/see.ts';
import type { Expansion } from './expansion.ts';
import { expandLimits } from './expansion.ts';

/** What {@link parseExpand} is given. */
export interface ParseExpandContext extends FindCurrentById {
  /** Who asks: of what they never see nothing is told. */
  readonly caller: Caller;
  /** The highest position that they have seen. */
  readonly after: Timestamp | undefined;
  /** Where the paths were sent. */
  readonly place: FaultPlace;
}

/** A path, as far as it is yet to be followed. */
interface Path {
  readonly text: string;
  readonly rest: readonly string[];
}

/**
 * Parses what is to be expanded: paths of declared references, those of one reference together, each with the definition that its records are
 * judged by.
 *
 * @param texts - `author`, `project.owner`; the fields of a reference may have parts themselves
 * @throws Fault `invalid-request` naming every path that is none
 */
export async function parseExpand(
  texts: readonly string[],
  collection: Collection,
  context: ParseExpandContext,
): Promise<readonly Expansion[]> {
  const faults = faultsOfTexts(texts);
  const refuse = (): Error => refused(faults, () => context.place);
  if (faults.length > 0) throw refuse();
  const paths = texts.map((text) => ({ text, rest: text.split('.') }));
  const expansions = await follow(paths, collection, { ...context, level: 1, faults });
  if (faults.length > 0) throw refuse();
  return expansions;
}

const fault = (code: string, message: string): LocatedFault => ({ pointer: '', code, message });

function faultsOfTexts(texts: readonly string[]): LocatedFault[] {
  if (texts.length > expandLimits.paths) {
    return [fault('too-many-paths', `Expand at most ${expandLimits.paths} paths.`)];
  }
  return texts.flatMap((text, index) => {
    if (texts.indexOf(text) !== index) return [fault('duplicate-path', `Name \`${text}\` once.`)];
    const path = parseFieldPath(text, 'element', '');
    return path.ok ? [] : path.faults.map(({ message }) => fault('invalid-path', `\`${text}\`: ${message}`));
  });
}

interface Following extends ParseExpandContext {
  readonly level: number;
  readonly faults: LocatedFault[];
}

async function follow(
  paths: readonly Path[],
  collection: Collection,
  following: Following,
): Promise<readonly Expansion[]> {
  const references = referencesIn(collection.id, collection.fields);
  const byReference = new Map<DeclaredReference, Path[]>();
  for (const { text, rest } of paths) {
    const reference = references.find(({ segments }) => segments.every((segment, at) => segment === rest[at]));
    if (reference === undefined) {
      following.faults.push(noReference({ text, rest }, collection, references, following.caller));
      continue;
    }
    const left = { text, rest: rest.slice(reference.segments.length) };
    byReference.set(reference, [...(byReference.get(reference) ?? []), left]);
  }
  const expansions: Expansion[] = [];
  for (const [reference, left] of byReference) {
    expansions.push(await expansionOf(reference, left, collection, following));
  }
  return expansions;
}

async function expansionOf(
  { segments, storage, target: id }: DeclaredReference,
  left: readonly Path[],
  collection: Collection,
  following: Following,
): Promise<Expansion> {
  const { caller, after, level, faults } = following;
  const [first] = left;
  const path = first === undefined ? '' : before(first);
  const own = { name: segments.join('.'), path, segments, storage };
  const target = isNeverSeen(collection, caller, segments) ? undefined : await findCurrentById(following, id, after);
  // What lies behind it is not even looked at: whether it is there is nothing to tell who sees nothing of it.
  if (target === undefined || !canEver(target.rules.read, caller)) return { ...own, target: undefined, inner: [] };
  const further = left.filter(({ rest }) => rest.length > 0);
  if (further.length > 0 && level === expandLimits.levels) {
    const message = (text: string): string => `\`${text}\`: follow at most ${expandLimits.levels} references.`;
    faults.push(...further.map(({ text }) => fault('too-deep', message(text))));
    return { ...own, target, inner: [] };
  }
  return { ...own, target, inner: await follow(further, target, { ...following, level: level + 1 }) };
}

/** As far as a path has been followed. */
const before = ({ text, rest }: Path): string =>
  rest.length === 0 ? text : text.slice(0, -`.${rest.join('.')}`.length);

function noReference(
  path: Path,
  collection: Collection,
  references: readonly DeclaredReference[],
  caller: Caller,
): LocatedFault {
  const from = before(path);
  const names = references
    .filter(({ segments }) => !isNeverSeen(collection, caller, segments))
    .map(({ segments }) => `\`${[...(from === '' ? [] : [from]), ...segments].join('.')}\``);
  const there = names.length === 0 ? 'nothing there is one' : `there may be expanded ${names.join(', ')}`;
  return fault('not-a-reference', `\`${path.text}\` leads to no reference: ${there}.`);
}
