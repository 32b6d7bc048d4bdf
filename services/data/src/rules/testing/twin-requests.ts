import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { operatorsType } from '../../operators/parse-operators.ts';
import { valueAt } from '../../fields/value-at.ts';
import { jsonPatchType } from '../../records/json-patch.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import { generateStages } from './generate-aggregates.ts';
import { projectNames } from './generate-projects.ts';
import { generateAtom, generateFilterOf } from './generate-question.ts';
import { generateNear, generateSpot } from './generate-spots.ts';
import type { Twins } from './generate-twins.ts';
import { generateEntryFields } from './generate-world.ts';

type Json = Readonly<Record<string, unknown>>;

/** A call; `#3` stands for the id of the fourth record, `*` for the collection, and what a world has names for ids for. */
export interface TwinRequest {
  readonly call: string;
  /** Of the address; what is no text is sent as JSON. */
  readonly query?: Json;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  /** Whether it is asked by who sees everything first, and may be answered from a cache. */
  readonly isKept?: boolean;
  /** The fields that it puts records in order by, or makes something of: refused to who sees one of them in no record. */
  readonly computed?: readonly string[];
  /** Whether it is not for who asks, whatever it is. */
  readonly isForbidden?: boolean;
}

/** A question about what is hidden, by the values that are there in the one world or in the other. */
function askAbout(random: Random, { world, others }: Twins): Json {
  const records = world.records.map((entry, index) => ({ ...entry, fields: others[index] ?? {} }));
  const own = random.chance(50) ? world : { ...world, records };
  return random.chance(60)
    ? generateAtom(random, own, random.pick(Object.keys(world.fields)))
    : generateFilterOf(random, own);
}

/** None by the time: what refers to something is imported by itself, later than what stands beside it. */
const sorts = ['n', '-s', 'status', 'n,-s', '-status,key', 'owner,n', 'key', '-key', 'words', '-words,n'];

const sortedBy = (sort: string | undefined): readonly string[] =>
  sort === undefined ? [] : sort.split(',').map((term) => term.replace('-', ''));

const expansions = ['ref', 'project', 'ref,project'];

/** What ranks: words of the index of words, or a place. */
function generateRanked(random: Random, filter: Json): TwinRequest {
  if (random.chance(50)) {
    const near = generateNear(random, 'spot');
    const query = {
      filter: random.chance(60) ? near : { ...filter, ...near },
      count: 'true',
      limit: String(random.below(8) + 1),
    };
    return { call: 'GET /v1/data/*', query, computed: ['spot'] };
  }
  const search = random.pick(['old', 'stone bridge', '"by the sea"', 'bridge -old', 'a', 'sea']);
  const asked = { search, ...(random.chance(50) ? { filter } : {}) };
  // An order of one's own shows no scores; the words are those of the index all the same.
  const sort = random.chance(25) ? random.pick(sorts) : undefined;
  const body = {
    ...asked,
    ...(sort === undefined ? {} : { sort }),
    count: random.chance(50),
    limit: random.below(8) + 1,
  };
  return { call: 'POST /v1/data/*/query', body, computed: ['words', 's', ...sortedBy(sort)] };
}

/** What something is made of: what is guarded is refused in most worlds. */
const pathsToMake = (random: Random, guarded: readonly string[]): readonly string[] =>
  random.chance(40) ? guarded : ['n', 's', 'a', 'status', 'due', 'project', 'words', 'b.c'];

function generateRead(random: Random, twins: Twins): TwinRequest {
  const filter = askAbout(random, twins);
  const guarded = Object.keys(twins.world.fields);
  const fields = random.chance(20) ? [...guarded, 'key'].slice(0, random.below(3) + 1) : undefined;
  const sort = random.chance(40) ? random.pick(sorts) : undefined;
  const computed = sortedBy(sort);
  const expand = random.chance(30) ? random.pick(expansions) : undefined;
  const query = {
    filter,
    ...(sort === undefined ? {} : { sort }),
    ...(fields === undefined ? {} : { fields: fields.join(',') }),
  };
  const shown = { ...query, ...(expand === undefined ? {} : { expand }) };
  switch (random.below(10)) {
    case 0:
      return {
        call: 'GET /v1/data/*',
        query: { ...shown, count: 'true', limit: String(random.below(5) + 1) },
        computed,
      };
    case 1:
      return { call: 'GET /v1/data/*', query: { ...shown, count: 'true' }, computed };
    case 2: {
      const body = {
        filter,
        fields,
        sort,
        limit: random.below(5) + 1,
        count: random.chance(50),
        expand: expand?.split(','),
      };
      return { call: 'POST /v1/data/*/query', body, computed };
    }
    case 3:
      return { call: 'GET /v1/data/*', query, accept: 'application/x-ndjson', computed };
    case 4:
      return { call: 'GET /v1/data/*', query, accept: 'text/csv', computed };
    case 5:
    case 6: {
      const asked = generateStages(random, random.chance(40) ? {} : filter, {
        paths: pathsToMake(random, guarded),
        sorts,
      });
      const order = asked.stages.flatMap((stage) => ('sort' in stage ? sortedBy(String(stage.sort)) : []));
      const made = [...asked.computed, ...order.filter((path) => path !== 'count')];
      return { call: 'POST /v1/data/*/aggregate', body: { stages: asked.stages }, computed: made };
    }
    case 7:
      return generateRanked(random, filter);
    case 8:
      return random.chance(70)
        ? generateRanked(random, filter)
        : { call: 'GET /v1/data/*', query: { ...shown, explain: 'true' }, isForbidden: true };
    default: {
      const own = expand === undefined ? {} : { query: { expand } };
      return { call: `GET /v1/data/*/#${random.below(twins.world.records.length)}`, ...own };
    }
  }
}

/** Some are asked where caches may answer, which others have filled. */
const generateAsked = (random: Random, twins: Twins): TwinRequest => ({
  ...generateRead(random, twins),
  ...(random.chance(35) ? { isKept: true } : {}),
});

const othersAt = (random: Random, path: string): readonly unknown[] => {
  if (path === 'spot') return [generateSpot(random), null, 'nowhere'];
  return path === 'ref' ? [...projectNames, 'rec_none', null] : [1, 2, 'a', null];
};

/** Of places that no rule looks at: what is seen stays what it is. */
function generatePatch(random: Random, { world, others }: Twins, index: number): Pick<TwinRequest, 'body' | 'type'> {
  const guarded = Object.keys(world.fields);
  const path = random.pick([...guarded, ...guarded, 'a', 'b.a', 'list']);
  const pointer = `/${path.replaceAll('.', '/')}`;
  // Often what the record has there in one of the worlds: that it stays the same tells of it.
  const own = valueAt(random.chance(50) ? world.records[index]?.fields : others[index], path.split('.'));
  const another = random.chance(70) ? random.pick(othersAt(random, path)) : generateValue(random, 1);
  const value = own !== undefined && random.chance(60) ? own : another;
  const around = path.includes('.') ? `/${path.split('.').slice(0, -1).join('/')}` : '/list';
  switch (random.below(3)) {
    case 0:
      return {
        type: mergePatchType,
        body: path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value),
      };
    case 1:
      return {
        type: jsonPatchType,
        body: [
          random.pick([
            { op: 'add', path: pointer, value },
            { op: 'replace', path: pointer, value },
            { op: 'remove', path: pointer },
            { op: 'test', path: pointer, value },
            { op: 'copy', from: pointer, path: '/a' },
            { op: 'move', from: pointer, path: '/list' },
            { op: 'remove', path: around },
            { op: 'add', path: `${pointer}/-`, value },
          ]),
        ],
      };
    default:
      return {
        type: operatorsType,
        body: random.pick([
          { $set: { [path]: value } },
          { $unset: { [path]: true } },
          { $inc: { [path]: 1 } },
          { $min: { [path]: value } },
          { $max: { [path]: value } },
          { $push: { [path]: value } },
          { $addToSet: { [path]: value } },
          { $pull: { [path]: value } },
        ]),
      };
  }
}

const memberOf: Readonly<Record<string, string>> = {
  [mergePatchType]: 'merge',
  [jsonPatchType]: 'patch',
  [operatorsType]: 'operators',
};

function generateWrite(random: Random, twins: Twins): TwinRequest {
  const { records } = twins.world;
  const index = random.below(records.length);
  const { body, type = mergePatchType } = generatePatch(random, twins, index);
  const filter = askAbout(random, twins);
  // What a rule looks at stays as it is, and so does what is seen.
  const { owner, status, team, role, due, at, project, key } = records[index]?.fields ?? {};
  const whole = { ...generateEntryFields(random), owner, status, team, role, due, at, project, key };
  switch (random.below(8)) {
    case 0:
      return { call: `PUT /v1/data/*/#${index}`, body: whole };
    case 1:
      return { call: 'PUT /v1/data/*', query: { by: 'key' }, body: whole };
    case 2:
      return { call: 'PATCH /v1/data/*', query: { filter, dryRun: random.pick(['true', 'false']) }, body, type };
    case 3:
      return { call: 'DELETE /v1/data/*', query: { filter, dryRun: random.pick(['true', 'true', 'false']) } };
    case 4: {
      const update = { op: 'update', collection: '*', id: `#${index}`, [memberOf[type] ?? 'merge']: body };
      const more = { op: 'update', collection: '*', id: `#${random.below(records.length)}`, merge: {} };
      return { call: 'POST /v1/batch', body: { operations: [update, more] } };
    }
    default:
      return { call: `PATCH /v1/data/*/#${index}`, body, type };
  }
}

/** What somebody asks for and does, one after the other. */
export const generateRequests = (random: Random, twins: Twins): readonly TwinRequest[] => [
  ...[{}, { sort: 'key' }, { expand: 'ref,project' }].map((query) => ({ call: 'GET /v1/data/*', query, isKept: true })),
  ...twins.world.records.map((_, index) => ({ call: `GET /v1/data/*/#${index}`, isKept: true })),
  ...Array.from({ length: 25 }, () => generateAsked(random, twins)),
  ...Array.from({ length: 30 }, () =>
    random.chance(60) ? generateWrite(random, twins) : generateAsked(random, twins),
  ),
];
