import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { RecordDocument } from '../records/record.model.ts';
import { openTestData } from '../testing/test-data.ts';
import { patients } from '../testing/test-patients.ts';
import type { RotationDocument } from './rotation.model.ts';
import { rotationsCollection } from './rotation.model.ts';

describe('a rotation whose process is killed', () => {
  for (const moment of ['read', 'written'] as const) {
    it(`when a chunk is ${moment} goes on at another, from where it was`, async () => {
      const data = await openTestData();
      const key = randomUUID() + randomUUID();
      try {
        const { token } = await data.person({ roles: ['admin'] });
        const first = await data.replica({ CAUSEWAY_FIELD_KEY: key });
        const defined = await first.call('PUT /v1/collections/rows', { body: patients, token });
        assert.equal(defined.status, 201, defined.text);
        const body = Array.from({ length: 500 }, (_, n) => JSON.stringify({ name: `n${n}`, ssn: `S${n}` })).join('\n');
        await first.call('POST /v1/data/rows', { body, type: 'application/x-ndjson', token });
        // Nobody else goes on with it before that one is gone.
        await first.stop();
        const file = path.resolve(import.meta.dirname, '../testing/rotation-child.ts');
        const child = fork(file, [data.redisPrefix, 'rows', moment], {
          execArgv: ['--conditions=development'],
          env: { ...process.env, CAUSEWAY_FIELD_KEY: key },
        });
        const [, signal] = (await once(child, 'exit')) as [unknown, string];
        assert.equal(signal, 'SIGKILL');
        const rows = data.db.collection<RecordDocument>(`records_${String(defined.body.id)}`);
        assert.equal(await rows.countDocuments({ 'sealed.key': 2 }), moment === 'read' ? 200 : 400);
        const rotations = data.db.collection<RotationDocument>(rotationsCollection);
        assert.equal((await rotations.findOne())?.lookedInPass, 200);
        const second = await data.replica({ CAUSEWAY_FIELD_KEY: key });
        const bound = performance.now() + 120_000;
        let rotation: { status?: string; resealed?: number } = {};
        while (performance.now() < bound && rotation.status !== 'done') {
          ({ rotation = {} } = (await second.call('GET /v1/collections/rows/keys', { token })).body);
          await delay(50);
        }
        // Those that had been written when it was killed are not told of: they were not counted.
        assert.deepEqual(rotation, { ...rotation, status: 'done', resealed: moment === 'read' ? 500 : 300 });
        assert.equal(await rows.countDocuments({ 'sealed.key': 2, revision: 1 }), 500);
        const list = await second.call('GET /v1/data/rows?limit=200', { token });
        for (const { name, ssn } of list.body.items as unknown as { name: string; ssn: string }[]) {
          assert.equal(ssn, name.replace('n', 'S'));
        }
      } finally {
        await data.stop();
      }
    });
  }
});
