import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { kafkaSettings } from './base-settings.ts';
import { readSettings, SettingsError } from './read-settings.ts';
import { defineSettings } from './setting.ts';
import { settingsTable, tableMarkers, withSettingsTable } from './settings-table.ts';

const rows = defineSettings({
  port: { env: 'PORT', type: 'port', default: 8081, description: 'Port.' },
  mode: { env: 'MODE', type: 'enum', values: ['fast', 'safe'], default: 'safe', description: 'a | b.' },
  waitMs: { env: 'WAIT', type: 'duration', default: 5_000, max: 60_000, description: 'Wait.' },
  limitBytes: { env: 'LIMIT', type: 'bytes', default: 524_288, description: 'Limit.' },
  ratio: { env: 'RATIO', type: 'ratio', default: 0.1, description: 'Ratio.' },
  brokers: { env: 'BROKERS', type: 'list', description: 'Brokers.' },
  key: { env: 'KEY', type: 'secret', description: 'Key.' },
  url: { env: 'URL', type: 'url', optional: true, description: 'URL.' },
  on: { env: 'ON', type: 'boolean', default: false, description: 'On.' },
  count: { env: 'COUNT', type: 'integer', default: 3, min: 1, max: 9, description: 'Count.' },
});

const needed = { BROKERS: 'a:1, b:2', KEY: 'very secret' };

describe('settings', () => {
  it('are read, typed and frozen, with their defaults', () => {
    const values = readSettings(rows, { ...needed, WAIT: '250ms', URL: 'http://x.test/', ON: 'true' });
    assert.deepEqual(values, {
      port: 8081,
      mode: 'safe',
      waitMs: 250,
      limitBytes: 524_288,
      ratio: 0.1,
      brokers: ['a:1', 'b:2'],
      key: 'very secret',
      url: 'http://x.test',
      on: true,
      count: 3,
    });
    assert.ok(Object.isFrozen(values));
    const mode: 'fast' | 'safe' = values.mode;
    assert.equal(mode, 'safe');
  });

  it('take an empty text for one that was left out', () => {
    assert.equal(readSettings(rows, { ...needed, PORT: ' ' }).port, 8081);
  });

  it('of retention are refused where the log of events would not outlive Kafka', () => {
    const { retentionDays } = kafkaSettings;
    assert.throws(
      () => readSettings({ retentionDays }, { EVENTS_RETENTION_DAYS: '7' }),
      /EVENTS_RETENTION_DAYS must be .*8/,
    );
    assert.equal(readSettings({ retentionDays }, { EVENTS_RETENTION_DAYS: '8' }).retentionDays, 8);
  });

  it('are refused all at once, by name', () => {
    const environment = { PORT: '99999', MODE: 'slow', WAIT: '5', RATIO: '2', URL: 'ftp://x', ON: 'yes', COUNT: '1.5' };
    assert.throws(
      () => readSettings(rows, environment),
      (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        const named = error.problems.map((each) => each.split(' ', 1)[0]);
        assert.deepEqual(named, ['PORT', 'MODE', 'WAIT', 'RATIO', 'BROKERS', 'KEY', 'URL', 'ON', 'COUNT']);
        assert.match(error.message, /MODE must be one of fast, safe/);
        assert.match(error.message, /BROKERS is not set: Brokers\./);
        return true;
      },
    );
  });

  for (const [name, text, problem] of [
    ['WAIT', '2m', /at most 60000/],
    ['COUNT', '0', /at least 1/],
    ['LIMIT', '5KB', /512KiB/],
    ['BROKERS', 'a:1,,b:2', /empty entries/],
  ] as const) {
    it(`refuse ${name}=${text}`, () => {
      assert.throws(() => readSettings(rows, { ...needed, [name]: text }), problem);
    });
  }

  it('never show a secret', () => {
    const secret = defineSettings({
      key: { env: 'KEY', type: 'secret', default: 'very secret', minLength: 16, description: 'Key.' },
    });
    assert.doesNotMatch(settingsTable(secret), /very secret/);
    assert.throws(
      () => readSettings(secret, { KEY: 'too short' }),
      (error: Error) =>
        error.message.includes('KEY must have at least 16 characters') && !error.message.includes('too short'),
    );
  });
});

describe('the table of settings', () => {
  it('has a row for each', () => {
    const table = settingsTable(rows);
    assert.match(table, /\| `WAIT` \| duration \| `5s` \| Wait\. \|/);
    assert.match(table, /\| `LIMIT` \| bytes \| `512KiB` \|/);
    assert.match(table, /\| `MODE` \| `fast` `safe` \| `safe` \| a \\\| b\. \|/);
    assert.match(table, /\| `KEY` \| secret \| \*\*required\*\* \|/);
    assert.equal(table.split('\n').length, 2 + Object.keys(rows).length);
  });

  it('is brought up to date between its markers, and stays as it is when it is', () => {
    const readme = `before\n${tableMarkers.begin}\nold\n${tableMarkers.end}\nafter\n`;
    const updated = withSettingsTable(readme, rows);
    assert.match(updated, /^before\n[^]*`PORT`[^]*\nafter\n$/);
    assert.doesNotMatch(updated, /old/);
    assert.equal(withSettingsTable(updated, rows), updated);
    assert.throws(() => withSettingsTable('nothing', rows), /lacks/);
  });
});
