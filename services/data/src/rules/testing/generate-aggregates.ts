import type { Random } from '../../conditions/testing/random.ts';

type Json = Readonly<Record<string, unknown>>;

const accumulators = ['sum', 'avg', 'min', 'max', 'addToSet', 'countDistinct'];
const zones = ['UTC', 'Europe/Berlin'];

/** What is made of some fields, and what it is put together by. */
export interface GeneratedStages {
  readonly stages: readonly Json[];
  /** The fields of records that something is made of. */
  readonly computed: readonly string[];
}

function generateFields(random: Random, paths: readonly string[], isSorted: boolean): readonly [string, Json][] {
  const kinds = isSorted ? [...accumulators, 'first', 'last', 'first', 'last'] : accumulators;
  return Array.from({ length: random.below(3) + 1 }, (_, index) => [
    `made${index}`,
    { [random.pick(kinds)]: random.pick(paths) },
  ]);
}

const pathsOf = (fields: readonly [string, Json][]): readonly string[] =>
  fields.flatMap(([, field]) => Object.values(field) as string[]);

function generateBuckets(random: Random, path: string): Json {
  if (random.chance(50)) return { by: path, boundaries: [-1, 0, 1.5, 10] };
  return { by: path, unit: random.pick(['day', 'month', 'year']), timeZone: random.pick(zones) };
}

/** Something like `group` or `bucket`, and what comes after it. */
function generateGroup(random: Random, paths: readonly string[], isSorted: boolean): GeneratedStages {
  const fields = generateFields(random, paths, isSorted);
  const all = { ...Object.fromEntries(fields), count: 'count' };
  const path = random.pick(paths);
  if (random.chance(25)) {
    return {
      stages: [{ bucket: { ...generateBuckets(random, path), fields: all } }],
      computed: [path, ...pathsOf(fields)],
    };
  }
  const by = random.chance(30) ? { key: generateBuckets(random, path) } : { key: path };
  const keyed = random.chance(70);
  const stages: Json[] = [{ group: { ...(keyed ? { by } : {}), fields: all } }];
  if (random.chance(30)) stages.push({ match: { count: { $gte: random.below(3) } } });
  if (random.chance(30)) stages.push({ sort: ['-count'] }, { limit: random.below(3) + 1 });
  return { stages, computed: [...(keyed ? [path] : []), ...pathsOf(fields)] };
}

const lookUp = (random: Random, reference: string): Json => ({
  lookup: { reference, as: 'who', ...(random.chance(40) ? { fields: ['title', 'hush'] } : {}) },
});

/**
 * The stages of an aggregate.
 *
 * @param filter - of the records that it is made of
 * @param paths - what something may be made of
 * @param sorts - orders that may be asked for
 */
export function generateStages(
  random: Random,
  filter: Json,
  { paths, sorts }: { readonly paths: readonly string[]; readonly sorts: readonly string[] },
): GeneratedStages {
  const sort = random.chance(40) ? random.pick(sorts) : undefined;
  const entering: Json[] = [
    { match: filter },
    ...(sort === undefined ? [] : [{ sort }]),
    ...(random.chance(30) ? [{ limit: random.below(8) + 1 }] : []),
  ];
  if (random.chance(30)) {
    const reference = random.pick(['ref', 'ref', 'project']);
    return { stages: [...entering, lookUp(random, reference)], computed: [] };
  }
  if (random.chance(20)) {
    // Who is looked up is what it is put together by.
    const group = { by: { key: 'ref' }, fields: { count: 'count' } };
    return { stages: [...entering, { group }, lookUp(random, 'key')], computed: ['ref'] };
  }
  const { stages, computed } = generateGroup(random, paths, sort !== undefined);
  return { stages: [...entering, ...stages], computed };
}
