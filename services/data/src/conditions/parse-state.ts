import type { LocatedFault, Parsed } from './located-fault.ts';
import type { PathRoot } from './field-path.ts';
import { PlaceBudget } from './geo/place-budget.ts';
import { PatternBudget } from './pattern/pattern-budget.ts';
import type { AllowedReferences } from './reference.ts';

/** Bounds of one condition; exceeding one is a fault, not a surprise for the database. */
export const conditionLimits = {
  /** Levels of logical operators, `$not` and `$elemMatch`. */
  depth: 10,
  /** Branches of one `$and`, `$or` or `$nor`. */
  branches: 50,
  /** Branches, fields, operators and list items in all. */
  nodes: 1_000,
  /** Items of one `$in`, `$nin` or `$all`. */
  items: 500,
} as const;

/** Where in a tree the parser stands. */
export interface Place {
  readonly pointer: string;
  readonly depth: number;
  readonly root: PathRoot;
}

const atTop =
  'use it once, at the top of the filter of a list or a query, and not in its branches, in rules, in feeds or in changes by filter';
const onFields =
  'use it on a field of a record itself, in a filter or a rule, and not in $elemMatch, in $follow, behind other stages or in the `where` of an index';

/** Where the operators of words and places belong. */
const misplaced: ReadonlyMap<string, string> = new Map([
  ['$text', atTop],
  ['$near', atTop],
  ['$geoWithin', onFields],
  ['$geoIntersects', onFields],
]);

/** Whether an operator is one of words or places. */
export const isSearch = (name: string): boolean => misplaced.has(name);

/** What the parsing of one condition has found and used so far. */
export class ParseState {
  readonly faults: LocatedFault[] = [];
  /** Which places may stand for values. */
  readonly allowed: AllowedReferences;
  /** Whether it may be asked where something lies. */
  readonly geo: boolean;
  readonly patterns = new PatternBudget();
  readonly places = new PlaceBudget();
  #nodes = 0;

  constructor(
    { auth = false, now = false, before = false, follow = false }: Partial<AllowedReferences>,
    { geo = false } = {},
  ) {
    this.allowed = { auth, now, before, follow };
    this.geo = geo;
  }

  fault(pointer: string, code: string, message: string): void {
    this.faults.push({ pointer, code, message });
  }

  unknownOperator(name: string, pointer: string, known: string): void {
    this.fault(pointer, 'unknown-operator', `\`${name}\` is not an operator here: use ${known}.`);
  }

  /** An operator that means something elsewhere. */
  misplacedOperator(name: string, pointer: string): void {
    const message = misplaced.get(name) ?? '';
    this.fault(pointer, 'unknown-operator', `\`${name}\` is not an operator here: ${message}.`);
  }

  /** Makes something of what was parsed, or notes its faults. */
  take<T, R>(parsed: Parsed<T>, make: (value: T) => R): R[] {
    if (parsed.ok) return [make(parsed.value)];
    this.faults.push(...parsed.faults);
    return [];
  }

  /** @returns whether there is room for so many more nodes; where not, that is noted once */
  count({ pointer }: Place, nodes = 1): boolean {
    const fitted = this.#nodes <= conditionLimits.nodes;
    this.#nodes += nodes;
    const fits = this.#nodes <= conditionLimits.nodes;
    if (fitted && !fits) {
      this.fault(pointer, 'too-large', `Use at most ${conditionLimits.nodes} fields, operators and values.`);
    }
    return fits;
  }

  /** @returns whether another level may be opened here */
  mayNest({ pointer, depth }: Place): boolean {
    if (depth < conditionLimits.depth) return true;
    this.fault(pointer, 'too-deep', `Nest at most ${conditionLimits.depth} levels of operators.`);
    return false;
  }
}
