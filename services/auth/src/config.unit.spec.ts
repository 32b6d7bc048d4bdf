import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SettingsError } from '@causeway/service';
import { assertSettingsTable } from '@causeway/service/testing';

import { readConfig, settings } from './config.ts';

const valid = {
  MONGODB_URL: 'mongodb://127.0.0.1/',
  KAFKA_BROKERS: '127.0.0.1:9092',
  REDIS_URL: 'redis://127.0.0.1',
  CAUSEWAY_INTERNAL_KEY: 'an internal key for this test',
  CAUSEWAY_MASTER_KEY: 'a master key of at least 32 characters',
  MAILBOX: 'true',
};

const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig({ ...valid, ...environment });
    return [];
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
};

describe('configuration', () => {
  it('has 30 idle and 90 absolute days, and nobody as first administrator', () => {
    const config = readConfig(valid);
    assert.equal(config.sessionIdleMs, 30 * 86_400_000);
    assert.equal(config.sessionAbsoluteMs, 90 * 86_400_000);
    assert.equal(config.firstAdministrator, undefined);
    assert.equal(config.port, 8081);
  });

  it('reads the first administrator', () => {
    const config = readConfig({
      ...valid,
      CAUSEWAY_ADMIN_EMAIL: 'Root@Example.com',
      CAUSEWAY_ADMIN_PASSWORD: 'correct horse',
    });
    assert.deepEqual(config.firstAdministrator, {
      email: { address: 'Root@example.com', key: 'root@example.com' },
      password: 'correct horse',
    });
  });

  it('has one place for mails to go to', () => {
    const smtp = {
      SMTP_URL: 'smtps://u:secret@smtp.example.com',
      MAIL_FROM: 'Causeway <no-reply@example.com>',
      MAILBOX: '',
    };
    assert.deepEqual(problemsOf(smtp), []);
    const both = problemsOf({ ...smtp, MAILBOX: 'true' });
    const neither = problemsOf({ MAILBOX: 'false' });
    for (const problems of [both, neither]) assert.match(problems.join(), /^SMTP_URL or MAILBOX=true has to be set/);
    assert.match(problemsOf({ ...smtp, MAIL_FROM: '' }).join(), /^MAIL_FROM is not set/);
    assert.match(problemsOf({ ...smtp, MAIL_FROM: 'nobody' }).join(), /^MAIL_FROM must be an address/);
    const wrong = problemsOf({ ...smtp, SMTP_URL: 'http://u:secret@smtp.example.com' });
    assert.match(wrong.join(), /^SMTP_URL must be an address/);
    assert.ok(!wrong.join().includes('secret'));
  });

  it('has one master key, given itself or in a file', () => {
    const neither = problemsOf({ CAUSEWAY_MASTER_KEY: '' });
    const both = problemsOf({ CAUSEWAY_MASTER_KEY_FILE: '/nowhere' });
    for (const problems of [neither, both])
      assert.match(problems.join(), /CAUSEWAY_MASTER_KEY or CAUSEWAY_MASTER_KEY_FILE has to be set, and not both/);
    const missing = problemsOf({ CAUSEWAY_MASTER_KEY: '', CAUSEWAY_MASTER_KEY_FILE: '/nowhere' });
    assert.match(missing.join(), /CAUSEWAY_MASTER_KEY_FILE names a file that cannot be read/);
  });

  it('refuses with the name of every bad setting at once, and no secret', () => {
    const problems = problemsOf({
      CAUSEWAY_MASTER_KEY: 'too-short',
      CAUSEWAY_ADMIN_EMAIL: 'nobody',
      CAUSEWAY_ADMIN_PASSWORD: 'brief',
      SESSION_ABSOLUTE_LIFETIME: '1h',
      PORT: 'eighty',
      REDIS_URL: '',
    });
    for (const name of ['PORT', 'REDIS_URL', 'MASTER_KEY', 'ADMIN_EMAIL', 'ADMIN_PASSWORD', 'SESSION_ABSOLUTE']) {
      assert.ok(
        problems.some((each) => each.includes(name)),
        name,
      );
    }
    assert.equal(problems.length, 6);
    assert.ok(!/too-short|brief/.test(problems.join()));
  });

  it('refuses half an administrator', () => {
    assert.equal(problemsOf({ CAUSEWAY_ADMIN_EMAIL: 'root@example.com' }).length, 1);
    assert.equal(problemsOf({ CAUSEWAY_ADMIN_PASSWORD: 'correct horse' }).length, 1);
  });

  it('is what the README says', () => assertSettingsTable(new URL('../README.md', import.meta.url), settings));
});
