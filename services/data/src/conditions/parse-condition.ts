import type { Atom, Condition, ElementTest, Operand } from './condition.ts';
import type { LocatedFault, Parsed } from './located-fault.ts';
import { pointerTo } from './located-fault.ts';
import type { FieldPath, PathRoot } from './field-path.ts';
import { parseFieldPath } from './field-path.ts';
import { isAuthReference, isObject, parseOperand, parseOperands, parseOrderedOperand } from './operand.ts';
import { compilePattern } from './pattern.ts';

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
interface Place {
  readonly pointer: string;
  readonly depth: number;
  readonly root: PathRoot;
}

const logicalOperators: ReadonlyMap<string, 'and' | 'or' | 'nor'> = new Map([
  ['$and', 'and'],
  ['$or', 'or'],
  ['$nor', 'nor'],
]);

const orders = { $gt: 'gt', $gte: 'gte', $lt: 'lt', $lte: 'lte' } as const;

/** Operators that ask something of an array or a text, which a time is not. */
const operatorsNotForTimes: ReadonlySet<string> = new Set(['$all', '$elemMatch', '$size', '$regex', '$options']);

/**
 * Parses a filter, or one alternative of a rule, into the condition tree.
 *
 * Taken are exactly the operators of API.md ("Filters"); everything else is refused by name.
 *
 * @param json - As `JSON.parse` gave it.
 * @param options - `auth`: whether `{"$auth": …}` may stand for a value (rules). `pointer`: where the condition stands.
 * @returns The tree, or all faults that were found.
 */
export function parseCondition(
  json: unknown,
  options: { readonly auth: boolean; readonly pointer?: string },
): Parsed<Condition<Operand>> {
  const parser = new ConditionParser(options.auth);
  const condition = parser.parse(json, { pointer: options.pointer ?? '', depth: 0, root: 'record' });
  return parser.faults.length > 0 ? { ok: false, faults: parser.faults } : { ok: true, value: condition };
}

class ConditionParser {
  readonly faults: LocatedFault[] = [];
  readonly #auth: boolean;
  #nodes = 0;

  constructor(auth: boolean) {
    this.#auth = auth;
  }

  parse(json: unknown, place: Place): Condition<Operand> {
    if (!isObject(json)) {
      this.#fault(place.pointer, 'invalid-condition', 'Give an object of fields and what they must be.');
      return { kind: 'and', branches: [] };
    }
    if (place.depth > conditionLimits.depth) {
      this.#fault(place.pointer, 'too-deep', `Nest at most ${conditionLimits.depth} levels of operators.`);
      return { kind: 'and', branches: [] };
    }
    const branches = Object.entries(json).flatMap(([name, operand]) => {
      const at = { ...place, pointer: pointerTo(place.pointer, name) };
      if (!this.#count(at)) return [];
      return name.startsWith('$') ? this.#logical(name, operand, at) : this.#field(name, operand, at);
    });
    const [only, ...more] = branches;
    return only !== undefined && more.length === 0 ? only : { kind: 'and', branches };
  }

  #logical(name: string, operand: unknown, place: Place): Condition<Operand>[] {
    const kind = logicalOperators.get(name);
    if (kind === undefined) {
      this.#unknownOperator(name, place.pointer, '$and, $or and $nor');
      return [];
    }
    const isList = Array.isArray(operand) && operand.length > 0 && operand.length <= conditionLimits.branches;
    if (!isList) {
      const message = `Give ${name} an array of 1 to ${conditionLimits.branches} conditions.`;
      this.#fault(place.pointer, 'invalid-operand', message);
      return [];
    }
    const branches = operand.map((branch: unknown, index) =>
      this.parse(branch, { ...place, pointer: pointerTo(place.pointer, index), depth: place.depth + 1 }),
    );
    return [{ kind, branches }];
  }

  #field(name: string, operand: unknown, place: Place): Condition<Operand>[] {
    const path = parseFieldPath(name, place.root, place.pointer);
    if (!path.ok) {
      this.faults.push(...path.faults);
      return [];
    }
    if (isOperatorObject(operand)) return this.#operators(path.value, operand, place);
    return this.#comparison('eq', path.value, operand, place);
  }

  #operators(path: FieldPath, operators: Readonly<Record<string, unknown>>, place: Place): Condition<Operand>[] {
    return Object.entries(operators).flatMap(([name, operand]) => {
      const at = { ...place, pointer: pointerTo(place.pointer, name) };
      if (!this.#count(at)) return [];
      if (path.holds === 'time' && operatorsNotForTimes.has(name)) {
        this.#fault(
          at.pointer,
          'invalid-operator',
          `Compare \`${path.text}\`, a time, with $eq, $gt, $in and the like.`,
        );
        return [];
      }
      if (name === '$all' && Array.isArray(operand) && operand.some(isElemMatch)) {
        return this.#allElements(path, operand, at);
      }
      if (name === '$not') return this.#negation(path, operand, at);
      return this.#atom(name, operand, operators, path, at).map((atom) => negatable(name, operand, path, atom));
    });
  }

  #negation(path: FieldPath, operand: unknown, place: Place): Condition<Operand>[] {
    if (!this.#isNegatable(operand, place)) return [];
    const branches = this.#operators(path, operand, { ...place, depth: place.depth + 1 });
    return [{ kind: 'not', branch: { kind: 'and', branches } }];
  }

  #isNegatable(operand: unknown, place: Place): operand is Readonly<Record<string, unknown>> {
    if (place.depth >= conditionLimits.depth) {
      this.#fault(place.pointer, 'too-deep', `Nest at most ${conditionLimits.depth} levels of operators.`);
      return false;
    }
    if (isOperatorObject(operand)) return true;
    this.#fault(place.pointer, 'invalid-operand', 'Give $not an object of operators, such as {"$gt": 5}.');
    return false;
  }

  /** `$all` of `$elemMatch`: an element for each. */
  #allElements(path: FieldPath, operand: readonly unknown[], place: Place): Condition<Operand>[] {
    if (!operand.every(isElemMatch) || operand.length > conditionLimits.branches) {
      const message = `Give $all either values, or up to ${conditionLimits.branches} of {"$elemMatch": …} alone.`;
      this.#fault(place.pointer, 'invalid-operand', message);
      return [];
    }
    const branches = operand.flatMap((each, index) =>
      this.#operators(path, each, { ...place, pointer: pointerTo(place.pointer, index) }),
    );
    return [{ kind: 'and', branches }];
  }

  #comparison(op: 'eq', path: FieldPath, operand: unknown, place: Place): Condition<Operand>[] {
    const parsed = parseOperand(operand, { pointer: place.pointer, holds: path.holds, auth: this.#auth });
    if (parsed.ok) return [{ kind: 'field', path, atom: { op, operand: parsed.value } }];
    this.faults.push(...parsed.faults);
    return [];
  }

  /** One operator, `$not` apart; the caller turns `$ne`, `$nin` and `$exists: false` around. */
  #atom(
    name: string,
    operand: unknown,
    siblings: Readonly<Record<string, unknown>>,
    path: Pick<FieldPath, 'holds'>,
    place: Place,
  ): Atom<Operand>[] {
    const at = { pointer: place.pointer, holds: path.holds, auth: this.#auth };
    switch (name) {
      case '$eq':
      case '$ne':
        return this.#take(parseOperand(operand, at), (value) => ({ op: 'eq', operand: value }));
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.#take(parseOrderedOperand(operand, at), (value) => ({ op: orders[name], operand: value }));
      case '$in':
      case '$nin':
      case '$all': {
        const op = name === '$all' ? 'all' : 'in';
        if (Array.isArray(operand) && !this.#count(place, operand.length)) return [];
        return this.#take(parseOperands(operand, at, conditionLimits.items), (operands) => ({ op, operands }));
      }
      case '$exists':
        if (typeof operand === 'boolean') return [{ op: 'exists' }];
        this.#fault(place.pointer, 'invalid-operand', 'Give $exists true or false.');
        return [];
      case '$size':
        if (typeof operand === 'number' && Number.isInteger(operand) && operand >= 0 && operand < 2 ** 31) {
          return [{ op: 'size', size: operand }];
        }
        this.#fault(place.pointer, 'invalid-operand', 'Give $size a whole number, 0 or more.');
        return [];
      case '$regex':
        return this.#regex(operand, siblings, place);
      case '$options':
        if (Object.hasOwn(siblings, '$regex')) return [];
        this.#fault(place.pointer, 'invalid-operand', 'Use $options beside $regex.');
        return [];
      case '$elemMatch':
        return this.#elemMatch(operand, place);
      default:
        this.#unknownOperator(
          name,
          place.pointer,
          '$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not, $all, $elemMatch, $size and $regex',
        );
        return [];
    }
  }

  #regex(source: unknown, siblings: Readonly<Record<string, unknown>>, place: Place): Atom<Operand>[] {
    const options = Object.hasOwn(siblings, '$options') ? siblings.$options : '';
    if (typeof source !== 'string' || typeof options !== 'string') {
      this.#fault(place.pointer, 'invalid-operand', 'Give $regex a text, and $options a text of i, m and s.');
      return [];
    }
    return this.#take(compilePattern(source, options, place.pointer), (pattern) => ({ op: 'regex', pattern }));
  }

  #elemMatch(operand: unknown, place: Place): Atom<Operand>[] {
    if (place.depth >= conditionLimits.depth) {
      this.#fault(place.pointer, 'too-deep', `Nest at most ${conditionLimits.depth} levels of operators.`);
      return [];
    }
    const inner = { ...place, depth: place.depth + 1, root: 'element' as const };
    if (isOperatorObject(operand) && !Object.keys(operand).some((name) => logicalOperators.has(name))) {
      return [{ op: 'element-passes', test: this.#elementTest(operand, inner) }];
    }
    if (isObject(operand) && Object.keys(operand).length > 0) {
      return [{ op: 'element-matches', condition: this.parse(operand, inner) }];
    }
    this.#fault(place.pointer, 'invalid-operand', 'Give $elemMatch an object of operators or of fields.');
    return [];
  }

  #elementTest(operators: Readonly<Record<string, unknown>>, place: Place): ElementTest<Operand> {
    const tests = Object.entries(operators).flatMap(([name, operand]): ElementTest<Operand>[] => {
      const at = { ...place, pointer: pointerTo(place.pointer, name) };
      if (!this.#count(at)) return [];
      if (name === '$not') {
        if (!this.#isNegatable(operand, at)) return [];
        return [{ kind: 'not', test: this.#elementTest(operand, { ...at, depth: at.depth + 1 }) }];
      }
      if (name === '$all') {
        this.#fault(at.pointer, 'invalid-operator', 'Use $all on the array itself, not on its elements in $elemMatch.');
        return [];
      }
      return this.#atom(name, operand, operators, { holds: 'json' }, at).map((atom): ElementTest<Operand> => {
        const test: ElementTest<Operand> = { kind: 'atom', atom };
        return isNegative(name, operand) ? { kind: 'not', test } : test;
      });
    });
    return { kind: 'all', tests };
  }

  #take<T>(parsed: Parsed<T>, atom: (value: T) => Atom<Operand>): Atom<Operand>[] {
    if (parsed.ok) return [atom(parsed.value)];
    this.faults.push(...parsed.faults);
    return [];
  }

  #count(place: Place, nodes = 1): boolean {
    const fitted = this.#nodes <= conditionLimits.nodes;
    this.#nodes += nodes;
    const fits = this.#nodes <= conditionLimits.nodes;
    if (fitted && !fits) {
      this.#fault(place.pointer, 'too-large', `Use at most ${conditionLimits.nodes} fields, operators and values.`);
    }
    return fits;
  }

  #unknownOperator(name: string, pointer: string, known: string): void {
    this.#fault(pointer, 'unknown-operator', `\`${name}\` is not an operator here: use ${known}.`);
  }

  #fault(pointer: string, code: string, message: string): void {
    this.faults.push({ pointer, code, message });
  }
}

/** Whether an object is made of operators: MongoDB, too, goes by the first name. A caller's value is none. */
function isOperatorObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && Object.keys(value)[0]?.startsWith('$') === true && !isAuthReference(value);
}

function isElemMatch(value: unknown): value is { readonly $elemMatch: unknown } {
  return isObject(value) && Object.hasOwn(value, '$elemMatch') && Object.keys(value).length === 1;
}

function isNegative(name: string, operand: unknown): boolean {
  return name === '$ne' || name === '$nin' || (name === '$exists' && operand === false);
}

function negatable(name: string, operand: unknown, path: FieldPath, atom: Atom<Operand>): Condition<Operand> {
  const field: Condition<Operand> = { kind: 'field', path, atom };
  return isNegative(name, operand) ? { kind: 'not', branch: field } : field;
}
