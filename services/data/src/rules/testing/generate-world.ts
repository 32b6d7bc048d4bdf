import { generateValue } from '../../conditions/testing/generate.ts';
import { longTexts, oddTexts } from '../../conditions/testing/odd-texts.ts';
import type { Random } from '../../conditions/testing/random.ts';
import type { GeneratedProject } from './generate-projects.ts';
import { follows, generateProjects, projectNames } from './generate-projects.ts';
import { generateRule, times } from './generate-rules.ts';
import { generateSpot } from './generate-spots.ts';

/** Who records are of; in a generated world `@ada` stands for her id. */
export const authors = ['ada', 'bob', 'eve'] as const;

type Json = Readonly<Record<string, unknown>>;

/** A record as it was sent, and by whom. */
export interface GeneratedEntry {
  readonly by: string;
  readonly fields: Json;
}

/** A collection with rules of all kinds, and what is in it; all of it JSON, so that it can be printed and made smaller. */
export interface GeneratedWorld {
  readonly rules: Json;
  /** Of the definition. */
  readonly fields: Json;
  readonly records: readonly GeneratedEntry[];
  /** What they refer to. */
  readonly projects: readonly GeneratedProject[];
  /** Whether `secret` is stored encrypted, so that nothing can be found by it. */
  readonly isSealed: boolean;
}

const scalar = (type: string): Json => ({ type: [type, 'null'] });

/** Takes nearly everything: what a rule finds where it looks for something else is what goes wrong. */
export const worldSchema = {
  properties: {
    key: { type: 'string' },
    owner: scalar('string'),
    status: scalar('string'),
    team: true,
    role: true,
    due: true,
    at: true,
    project: scalar('string'),
    a: true,
    n: scalar('number'),
    s: scalar('string'),
    list: true,
    words: scalar('string'),
    spot: true,
    ref: scalar('string'),
    secret: true,
    b: { type: 'object', properties: { a: true, c: true } },
    d: { type: 'object', properties: { b: { type: 'object', properties: { a: true } } } },
  },
};

/** Of those, what no generated rule looks at but by a filter of its own. */
export const lookedAtByNone = [
  ...['a', 'n', 's', 'list', 'words', 'spot', 'ref', 'secret'],
  ...['b.a', 'b.c', 'b', 'd.b', 'd.b.a'],
];

const lookedAt = ['owner', 'status', 'team', 'role', 'due', 'at', 'project'];

/** Of each world, whatever its rules: a key, words and places. */
export const worldIndexes = [
  { keys: { key: 1 }, unique: true },
  { keys: { s: 'text', words: 'text' } },
  { keys: { at: '2dsphere' } },
  { keys: { spot: '2dsphere' } },
];

/** Leaves out what is undefined, as JSON does. */
const json = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

function generateRules(random: Random): Json {
  const rule = (): unknown => generateRule(random, { follows });
  const [read, create, update, remove] = Array.from({ length: 4 }, rule);
  const before = rule() ?? [];
  const after = random.chance(50) ? [{ owner: { $before: 'owner' } }, { createdBy: { $auth: 'sub' } }] : 'signed-in';
  // Most have to see most of it, else there is nothing to agree on.
  const seen = random.chance(40) ? random.pick(['public', 'signed-in']) : read;
  return json({ read: seen, create, update: random.chance(40) ? { before, after } : update, delete: remove });
}

function generateFields(random: Random): Json {
  const paths = [random.pick(lookedAtByNone), ...random.list(3, () => random.pick([...lookedAtByNone, ...lookedAt]))];
  return Object.fromEntries(
    paths.map((path) => [
      path,
      json({
        read: random.chance(85) ? (generateRule(random) ?? []) : undefined,
        write: random.chance(30) ? (generateRule(random) ?? []) : undefined,
        ...(random.chance(10) ? { readOnly: true } : {}),
        ...(random.chance(10) ? { writeOnce: true } : {}),
      }),
    ]),
  );
}

/** A text of words that others have, too. */
export const generateWords = (random: Random): string =>
  Array.from({ length: random.below(6) + 1 }, () => random.pick(['old', 'stone', 'bridge', 'by', 'sea', 'a'])).join(
    ' ',
  );

/** Fields of a record: missing, null, arrays and odd values among them. */
export function generateEntryFields(random: Random): Record<string, unknown> {
  const made: Record<string, unknown> = {
    owner: random.pick(['@ada', '@ada', '@bob', '@eve', 'nobody', null]),
    status: random.pick(['open', 'open', 'closed', '', null]),
    team: random.pick(['org_1', 'org_2', ['org_1', 'org_3'], [], null, 7, { org: 'org_1' }]),
    role: random.pick(['editor', ['editor', 'x'], ['x', null], 'member', null, 1]),
    due: random.pick([...times, times, null, 5, 'soon']),
    a: generateValue(random, 2),
    n: random.pick([-1, 0, 1, 1.5, 2, null]),
    s: random.pick(['', 'a', 'A', 'ab', 'é', null, ...oddTexts, ...longTexts]),
    list: random.list(3, () => generateValue(random, 1)),
    at: random.chance(85) ? generateSpot(random) : null,
    spot: random.chance(85) ? generateSpot(random) : null,
    project: random.pick([...projectNames, null]),
    ref: random.pick([...projectNames, null]),
    words: generateWords(random),
    secret: generateValue(random, 2),
    b: {
      ...(random.chance(70) ? { a: generateValue(random, 2) } : {}),
      ...(random.chance(50) ? { c: random.below(3) } : {}),
    },
    d: random.chance(70) ? { b: random.chance(70) ? { a: generateValue(random, 1) } : {} } : {},
  };
  return Object.fromEntries(Object.entries(made).filter(() => random.chance(80)));
}

/** A world of some records. */
export function generateWorld(random: Random, records: number): GeneratedWorld {
  return {
    rules: generateRules(random),
    fields: Object.fromEntries(
      Object.entries(generateFields(random)).filter(([, options]) => Object.keys(options as Json).length > 0),
    ),
    records: Array.from({ length: records }, (_, index) => ({
      by: random.pick(authors),
      fields: { key: `k${index}`, ...generateEntryFields(random) },
    })),
    projects: generateProjects(random),
    isSealed: random.chance(35),
  };
}

/** Who asks, beside the authors: somebody of another organisation, somebody with a role, nobody, and an administrator. */
export type Asker = (typeof authors)[number] | 'stranger' | 'nobody' | 'admin';

/** All of them. */
export const askers: readonly Asker[] = ['ada', 'bob', 'eve', 'stranger', 'nobody', 'admin'];
