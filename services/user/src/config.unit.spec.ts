import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { describe, it } from 'node:test';

import { SettingsError, withSettingsTable } from '@causeway/service';

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

  it('is what the README says', () => {
    const file = new URL('../README.md', import.meta.url);
    const readme = readFileSync(file, 'utf8');
    const current = withSettingsTable(readme, settings);
    if (process.env.UPDATE_README === 'true') writeFileSync(file, current);
    else assert.ok(readme === current, 'run the unit tests with UPDATE_README=true and commit README.md');
  });
});
