import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SettingsError } from '@causeway/service';
import { assertSettingsTable } from '@causeway/service/testing';

import { readConfig, settings } from './config.ts';

describe('configuration', () => {
  it('has defaults for everything but servers and secrets', () => {
    assert.throws(
      () => readConfig({}),
      (error) => {
        assert.ok(error instanceof SettingsError);
        const names = error.problems.map((each) => each.split(' ')[0]).sort();
        assert.deepEqual(names, ['CAUSEWAY_INTERNAL_KEY', 'KAFKA_BROKERS', 'MONGODB_URL', 'REDIS_URL']);
        return true;
      },
    );
  });

  it('is what the README says', () => assertSettingsTable(new URL('../README.md', import.meta.url), settings));
});
