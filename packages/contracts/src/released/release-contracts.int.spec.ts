import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { z } from 'zod';

import { catalogue } from '../catalogue.ts';
import { checkRead } from '../check-read.ts';
import { defineEvent, type EventContract } from '../event-contract.ts';
import { sampleEvent } from './check-samples.ts';
import { releaseContracts, type Release } from './release-contracts.ts';
import { readReleased } from './released-contracts.ts';

const type = 'test.person.named';
const common = { type, version: 1, thing: 'person', description: 'In a test.' };
const data = { name: z.string(), age: z.number().optional() };
const contract = defineEvent({ ...common, data });
const schemaFile = path.join(type, '1.schema.json');
const samplesFile = path.join(type, '1.samples.json');
const good = { minimal: { name: 'Ada' }, full: { name: 'Ada', age: 36 } };

describe('a release of contracts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'released-'));
    await mkdir(path.join(folder, type));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (file: string, value: unknown): Promise<void> =>
    writeFile(path.join(folder, file), typeof value === 'string' ? value : JSON.stringify(value));

  const release = async (declared: EventContract): Promise<Release> =>
    releaseContracts({ catalogue: [declared], kept: await readReleased(folder), readers: [] }, folder);

  it('writes down what is new, once', async () => {
    await write(samplesFile, good);
    assert.deepEqual((await release(contract)).written, [schemaFile]);
    const written = await readFile(path.join(folder, schemaFile), 'utf8');
    assert.deepEqual(JSON.parse(written), {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:causeway:contract:test.person.named:1',
      title: 'test.person.named 1',
      description: 'In a test.',
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'number' } },
      required: ['name'],
    });
    const again = await release(contract);
    assert.deepEqual([again.written, again.refused], [[], []]);
    assert.equal(await readFile(path.join(folder, schemaFile), 'utf8'), written);
  });

  it('takes a compatible change, once a sample shows it', async () => {
    await write(samplesFile, good);
    await release(contract);
    const more = defineEvent({ ...common, data: { ...data, title: z.string().optional() } });
    assert.deepEqual((await release(more)).refused, [`${type} 1: no sample has \`title\`.`]);
    await write(samplesFile, { ...good, titled: { name: 'Ada', title: 'Countess' } });
    assert.deepEqual((await release(more)).written, [schemaFile]);
    assert.deepEqual((await release(more)).written, []);
  });

  it('never overwrites what was released by what breaks it', async () => {
    await write(samplesFile, good);
    await release(contract);
    const before = await readFile(path.join(folder, schemaFile), 'utf8');
    const { written, refused } = await release(defineEvent({ ...common, data: { ...data, name: z.number() } }));
    assert.deepEqual(written, []);
    assert.match(refused.join(), /`name` is now a number, and was a string/);
    assert.equal(await readFile(path.join(folder, schemaFile), 'utf8'), before);
  });

  it('wants samples that show the whole of it', async () => {
    const wanted = async (samples: unknown): Promise<string> => {
      await write(samplesFile, samples);
      const { written, refused } = await release(contract);
      assert.deepEqual(written, []);
      return refused.join();
    };
    assert.match(
      (await release(contract)).refused.join(),
      /write released\/test\.person\.named\/1\.samples\.json first/,
    );
    assert.match(await wanted({}), /there is no sample/);
    assert.match(await wanted({ minimal: good.minimal }), /no sample has `age`/);
    assert.match(await wanted({ full: good.full }), /no sample is without all that is optional/);
    const more = { ...good, more: { name: 'Ada', more: true } };
    assert.match(await wanted(more), /the sample `more` would not be recorded: \/more unrecognized_keys/);
  });

  it('says which file it cannot read', async () => {
    const reads = async (file: string, content: unknown, words: RegExp): Promise<void> => {
      await write(file, content);
      await assert.rejects(readReleased(folder), words);
      await rm(path.join(folder, file));
    };
    await reads(samplesFile, '{', /1\.samples\.json cannot be read as JSON/);
    await reads(samplesFile, { minimal: 1 }, /1\.samples\.json is no object of named samples/);
    await reads(schemaFile, [], /1\.schema\.json is no object/);
    await reads('stray.json', {}, /stray\.json is no <type>\/<version>\.schema\.json or \.samples\.json/);
  });
});

describe('every event that has been released', async () => {
  for (const { type, version, schema, samples = {} } of (await readReleased()).values()) {
    if (schema === undefined) continue;
    it(`${type} ${version} is still read`, () => {
      const contract = catalogue.find((each) => each.type === type) ?? assert.fail('it is not in the catalogue');
      assert.ok(Object.keys(samples).length > 0);
      for (const data of Object.values(samples)) {
        const read = checkRead(contract, sampleEvent(contract, version, data));
        if (version === contract.version) assert.deepEqual(read.data, data);
      }
    });
  }
});
