import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { redact } from '../../fields/redact.ts';
import { valueAt } from '../../fields/value-at.ts';
import { parseFields } from '../../fields/parse-fields.ts';
import type { Caller } from '../rule.ts';
import { decide } from '../rule.ts';
import { parseRule } from '../parse-rules.ts';
import { createSight } from '../see.ts';
import type { GeneratedProject } from './generate-projects.ts';
import { plainFollows } from './generate-projects.ts';
import { generateRule } from './generate-rules.ts';
import { generateSpot } from './generate-spots.ts';
import type { Asker, GeneratedEntry, GeneratedWorld } from './generate-world.ts';
import { generateEntryFields, generateWorld, lookedAtByNone, worldSchema } from './generate-world.ts';
import { claims } from './open-world.ts';

type Json = Readonly<Record<string, unknown>>;

/** Two worlds that differ in nothing that somebody sees. */
export interface Twins {
  readonly asker: Exclude<Asker, 'admin'>;
  readonly world: GeneratedWorld;
  /** The fields of the other one's records. */
  readonly others: readonly Json[];
  /** What those refer to. */
  readonly otherProjects: readonly GeneratedProject[];
}

/** Rules and places that look at nothing which a twin has otherwise. */
function generateRules(random: Random): Pick<GeneratedWorld, 'rules' | 'fields'> {
  const mayAsk = (): Json => ({ status: 'open' });
  const rule = (): unknown => generateRule(random, { mayAsk }) ?? [];
  const mostly = (): unknown =>
    random.chance(70) ? 'public' : (generateRule(random, { mayAsk, follows: plainFollows }) ?? []);
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
  // A rule that follows something may let the record be seen: then less of it is taken to be hidden than may be.
  const isFollowing = JSON.stringify(rules.read).includes('$follow');
  const read = parseRule(isFollowing ? 'public' : rules.read, { pointer: '' });
  const declared = parseFields(fields, worldSchema, '');
  if (!read.ok || !declared.ok) return [];
  const at = new Date();
  const record = { _id: '', revision: 1, fields: own, createdBy: `@${by}`, createdAt: at, updatedAt: at };
  if (!decide(read.value, caller, record, { at })) return lookedAtByNone.map((path) => path.split('.'));
  return createSight({ fields: declared.value, cipher: undefined }, caller, { at }).hidden(record);
}

/** Another value for a place, or none; one that the schema takes. */
function otherAt(random: Random, path: string): unknown {
  if (random.chance(25)) return undefined;
  if (path === 'spot') return generateSpot(random);
  if (['n', 's', 'b', 'words', 'ref'].includes(path)) return generateEntryFields(random)[path];
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

const sees = (asker: Twins['asker'], { open, members }: GeneratedProject): boolean =>
  open || members.includes(`@${asker}`);

/** A project without what somebody does not see of it. */
function seenOf(asker: Twins['asker'], project: GeneratedProject): Json {
  const { hush, title, ...rest } = project;
  const isMember = project.members.includes(`@${asker}`);
  return { ...rest, ...(sees(asker, project) ? { title } : {}), ...(isMember ? { hush } : {}) };
}

/** What somebody does not see of projects is another: whether they are there, who is in them and what they are called, rules may follow. */
const generateOtherProjects = (random: Random, asker: Twins['asker'], projects: readonly GeneratedProject[]) =>
  projects.map((project, index): GeneratedProject => ({
    ...project,
    ...(sees(asker, project) ? {} : { title: `another title of ${index}` }),
    ...(project.members.includes(`@${asker}`) ? {} : { hush: random.pick(['four', 'five', null]) }),
  }));

/** Two worlds; what somebody does not see is another in most places. */
export function generateTwins(random: Random): Twins {
  const asker = random.pick(['ada', 'bob', 'stranger', 'nobody'] as const);
  // What is encrypted is in no cache of pages.
  const world = { ...generateWorld(random, 10), ...generateRules(random), isSealed: random.chance(20) };
  const others = world.records.map((entry) =>
    hiddenFrom(callerOf(asker), world, entry).reduce(
      (fields, path) => (random.chance(85) ? setAt(fields, path, otherAt(random, path.join('.'))) : fields),
      entry.fields,
    ),
  );
  return { asker, world, others, otherProjects: generateOtherProjects(random, asker, world.projects) };
}

/** Whether it is so that they differ in nothing which is seen, as it has to be of what was made smaller too. */
export function areTwins({ asker, world, others, otherProjects }: Twins): boolean {
  const caller = callerOf(asker);
  if (others.length !== world.records.length) return false;
  const [here, there] = [world.projects, otherProjects].map((each) => each.map((project) => seenOf(asker, project)));
  if (JSON.stringify(here) !== JSON.stringify(there)) return false;
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
