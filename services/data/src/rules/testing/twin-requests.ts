import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { operatorsType } from '../../operators/parse-operators.ts';
import { valueAt } from '../../fields/value-at.ts';
import { jsonPatchType } from '../../records/json-patch.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import { generateAtom, generateFilterOf } from './generate-question.ts';
import type { Twins } from './generate-twins.ts';
import { generateEntryFields } from './generate-world.ts';

type Json = Readonly<Record<string, unknown>>;

/** A call; `#3` stands for the id of the fourth record, `*` for the collection. */
export interface TwinRequest {
  readonly call: string;
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
}

/** A question about what is hidden, by the values that are there in the one world or in the other. */
function askAbout(random: Random, { world, others }: Twins): Json {
  const records = world.records.map((entry, index) => ({ ...entry, fields: others[index] ?? {} }));
  const own = random.chance(50) ? world : { ...world, records };
  return random.chance(60)
    ? generateAtom(random, own, random.pick(Object.keys(world.fields)))
    : generateFilterOf(random, own);
}

const sorts = ['n', '-s', 'status', 'n,-s', '-createdAt', 'owner,n', 'key', '-key'];

function generateRead(random: Random, twins: Twins): TwinRequest {
  const filter = askAbout(random, twins);
  const fields = random.chance(20)
    ? [...Object.keys(twins.world.fields), 'key'].slice(0, random.below(3) + 1)
    : undefined;
  const sort = random.chance(40) ? random.pick(sorts) : undefined;
  const address = new URLSearchParams({
    filter: JSON.stringify(filter),
    ...(sort === undefined ? {} : { sort }),
    ...(fields === undefined ? {} : { fields: fields.join(',') }),
  }).toString();
  switch (random.below(7)) {
    case 0:
      return { call: `GET /v1/data/*?${address}&count=true&limit=${random.below(5) + 1}` };
    case 1:
      return { call: `GET /v1/data/*?${address}&count=true` };
    case 2:
      return {
        call: 'POST /v1/data/*/query',
        body: { filter, fields, sort, limit: random.below(5) + 1, count: random.chance(50) },
      };
    case 3:
      return { call: `GET /v1/data/*?${address}`, accept: 'application/x-ndjson' };
    case 4:
      return { call: `GET /v1/data/*?${address}`, accept: 'text/csv' };
    case 5: {
      const path = random.pick([...Object.keys(twins.world.fields), 'n']);
      const group = { fields: { count: 'count', least: { min: path }, sum: { sum: random.pick(['n', path]) } } };
      return { call: 'POST /v1/data/*/aggregate', body: { stages: [{ match: filter }, { group }] } };
    }
    default:
      return { call: `GET /v1/data/*/#${random.below(twins.world.records.length)}` };
  }
}

/** Of places that no rule looks at: what is seen stays what it is. */
function generatePatch(random: Random, { world, others }: Twins, index: number): Pick<TwinRequest, 'body' | 'type'> {
  const guarded = Object.keys(world.fields);
  const path = random.pick([...guarded, ...guarded, 'a', 'b.a', 'list']);
  const pointer = `/${path.replaceAll('.', '/')}`;
  // Often what the record has there in one of the worlds: that it stays the same tells of it.
  const own = valueAt(random.chance(50) ? world.records[index]?.fields : others[index], path.split('.'));
  const another = random.chance(70) ? random.pick([1, 2, 'a', null]) : generateValue(random, 1);
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
  const filter = encodeURIComponent(JSON.stringify(askAbout(random, twins)));
  // What a rule looks at stays as it is, and so does what is seen.
  const { owner, status, team, role, due } = records[index]?.fields ?? {};
  const whole = { ...generateEntryFields(random), owner, status, team, role, due, key: records[index]?.fields.key };
  switch (random.below(8)) {
    case 0:
      return { call: `PUT /v1/data/*/#${index}`, body: whole };
    case 1:
      return { call: 'PUT /v1/data/*?by=key', body: whole };
    case 2:
      return { call: `PATCH /v1/data/*?filter=${filter}&dryRun=${random.pick(['true', 'false'])}`, body, type };
    case 3:
      return { call: `DELETE /v1/data/*?filter=${filter}&dryRun=${random.pick(['true', 'true', 'false'])}` };
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
  ...Array.from({ length: 25 }, () => generateRead(random, twins)),
  ...Array.from({ length: 25 }, () => (random.chance(65) ? generateWrite(random, twins) : generateRead(random, twins))),
];
