import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { redact } from '../../fields/redact.ts';
import { valueAt } from '../../fields/value-at.ts';
import { parseFields } from '../../fields/parse-fields.ts';
import type { Caller } from '../rule.ts';
import { decide } from '../rule.ts';
import { parseRule } from '../parse-rules.ts';
import { createSight } from '../see.ts';
import type { Asker, GeneratedEntry, GeneratedWorld } from './generate-world.ts';
import { generateEntryFields, generateRule, generateWorld, lookedAtByNone, worldSchema } from './generate-world.ts';
import { claims } from './open-world.ts';

type Json = Readonly<Record<string, unknown>>;

/** Two worlds that differ in nothing that somebody sees. */
export interface Twins {
  readonly asker: Exclude<Asker, 'admin'>;
  readonly world: GeneratedWorld;
  /** The fields of the other one's records. */
  readonly others: readonly Json[];
}

/** Rules and places that look at nothing which a twin has otherwise. */
function generateRules(random: Random): Pick<GeneratedWorld, 'rules' | 'fields'> {
  const rule = (): unknown => generateRule(random, () => ({ status: 'open' })) ?? [];
  const mostly = (): unknown => (random.chance(70) ? 'public' : rule());
  const paths = [...new Set(Array.from({ length: random.below(4) + 2 }, () => random.pick(lookedAtByNone)))];
  const options = (): Json => ({
    read: random.chance(50) ? [] : rule(),
    ...(random.chance(60) ? { write: random.chance(60) ? 'public' : rule() } : {}),
    ...(random.chance(20) ? { readOnly: true } : {}),
    ...(random.chance(20) ? { writeOnce: true } : {}),
  });
  return {
    rules: { read: mostly(), create: mostly(), update: mostly(), delete: mostly() },
    fields: Object.fromEntries(paths.map((path) => [path, options()])),
  };
}

const callerOf = (asker: Twins['asker']): Caller =>
  asker === 'nobody'
    ? { signedIn: false, administrator: false, auth: {} }
    : { signedIn: true, administrator: false, auth: { sub: `@${asker}`, ...claims[asker] } };

/** The places that somebody does not see in a record: all that no rule looks at, where they do not see the record. */
function hiddenFrom(
  caller: Caller,
  { rules, fields }: Pick<GeneratedWorld, 'rules' | 'fields'>,
  { by, fields: own }: GeneratedEntry,
) {
  const [read, declared] = [parseRule(rules.read, { pointer: '' }), parseFields(fields, worldSchema, '')];
  if (!read.ok || !declared.ok) return [];
  const at = new Date();
  const record = { _id: '', revision: 1, fields: own, createdBy: `@${by}`, createdAt: at, updatedAt: at };
  if (!decide(read.value, caller, record, { at })) return lookedAtByNone.map((path) => path.split('.'));
  return createSight({ fields: declared.value, cipher: undefined }, caller, { at }).hidden(record);
}

/** Another value for a place, or none; one that the schema takes. */
function otherAt(random: Random, path: string): unknown {
  if (random.chance(25)) return undefined;
  if (path === 'n' || path === 's' || path === 'b') return generateEntryFields(random)[path];
  if (path === 'd.b') return random.chance(50) ? {} : { a: generateValue(random, 1) };
  return generateValue(random, 2);
}

/** Sets a value, or takes it away, where the object around it is there: that one is seen. */
function setAt(fields: Json, [name = '', ...rest]: readonly string[], value: unknown): Json {
  if (rest.length === 0) {
    const { [name]: _old, ...others } = fields;
    if (value === undefined) return others;
    return Object.hasOwn(fields, name) ? { ...fields, [name]: value } : { [name]: value, ...fields };
  }
  const inner = fields[name];
  return typeof inner === 'object' && inner !== null
    ? { ...fields, [name]: setAt(inner as Json, rest, value) }
    : fields;
}

/** Two worlds; what somebody does not see is another in most places. */
export function generateTwins(random: Random): Twins {
  const asker = random.pick(['ada', 'bob', 'stranger', 'nobody'] as const);
  const world = { ...generateWorld(random, 10), ...generateRules(random) };
  const others = world.records.map((entry) =>
    hiddenFrom(callerOf(asker), world, entry).reduce(
      (fields, path) => (random.chance(85) ? setAt(fields, path, otherAt(random, path.join('.'))) : fields),
      entry.fields,
    ),
  );
  return { asker, world, others };
}

/** Whether it is so that they differ in nothing which is seen, as it has to be of what was made smaller too. */
export function areTwins({ asker, world, others }: Twins): boolean {
  const caller = callerOf(asker);
  if (others.length !== world.records.length) return false;
  return world.records.every((entry, index) => {
    const other = { by: entry.by, fields: others[index] ?? {} };
    const hidden = hiddenFrom(caller, world, entry);
    const without = (fields: Json): string => JSON.stringify(redact(fields, hidden));
    return without(entry.fields) === without(other.fields) && hidden.length === hiddenFrom(caller, world, other).length;
  });
}

/** Whether anything that is guarded differs. */
export const differ = ({ world: { records, fields }, others }: Twins): boolean =>
  records.some(({ fields: own }, index) =>
    Object.keys(fields).some((path) => {
      const [here, there] = [own, others[index] ?? {}].map((each) => JSON.stringify(valueAt(each, path.split('.'))));
      return here !== there;
    }),
  );
