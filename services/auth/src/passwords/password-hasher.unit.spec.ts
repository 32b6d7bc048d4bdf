import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createBoundedWork } from './bounded-work.ts';
import type { BoundedWork } from './bounded-work.ts';
import { createPasswordHasher } from './password-hasher.ts';

describe('password hasher', () => {
  const work = createBoundedWork({ concurrency: 1, queueLimit: 10 });

  it('makes an argon2id hash with 19 MiB, two passes, one lane and a salt of its own', async () => {
    const hasher = await createPasswordHasher(work);
    const [one, two] = [await hasher.hash('correct horse'), await hasher.hash('correct horse')];
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(one, two);
    assert.equal(await hasher.matches(one, 'correct horse'), true);
    assert.equal(await hasher.matches(one, 'correct horsf'), false);
  });

  it('matches the same password typed in another Unicode form', async () => {
    const hasher = await createPasswordHasher(work);
    const encoded = await hasher.hash('cafe\u0301 au lait');
    assert.equal(await hasher.matches(encoded, 'caf\u00e9 au lait'), true);
  });

  it('does the same work where there is no account, and says no', async () => {
    let runs = 0;
    const counted: BoundedWork = {
      ...work,
      run: (task, signal) => {
        runs += 1;
        return work.run(task, signal);
      },
    };
    const hasher = await createPasswordHasher(counted);
    assert.equal(await hasher.matches(undefined, 'anything at all'), false);
    assert.equal(runs, 1);
  });

  it('knows a hash that took less work than one takes now', async () => {
    const hasher = await createPasswordHasher(work);
    assert.equal(hasher.isOutdated(await hasher.hash('correct horse')), false);
    const end = 'c2FsdHNhbHQ$aGFzaA';
    for (const more of ['argon2id$v=19$m=65536,t=2,p=1', 'argon2id$v=19$m=19456,t=3,p=4'])
      assert.equal(hasher.isOutdated(`$${more}$${end}`), false, more);
    for (const less of [
      ...['argon2id$v=19$m=9216,t=4,p=1', 'argon2id$v=19$m=19456,t=1,p=1', 'argon2id$v=16$m=19456,t=2,p=1'],
      ...['argon2i$v=19$m=19456,t=2,p=1', '2b$12', ''],
    ])
      assert.equal(hasher.isOutdated(`$${less}$${end}`), true, less);
  });

  it('hashes nothing for a client that has gone', async () => {
    const hasher = await createPasswordHasher(work);
    await assert.rejects(hasher.hash('correct horse', AbortSignal.abort(new Error('gone'))), /gone/);
  });
});
