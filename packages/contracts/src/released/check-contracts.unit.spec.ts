import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { defineEvent, eventVersion, type EventContract, type EventData } from '../event-contract.ts';
import { checkContracts, type Verdict } from './check-contracts.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { keyOf, type KeptVersion, type KeptVersions, type Samples } from './released-contracts.ts';
import type { Reader } from './verdict-words.ts';

const type = 'auth.account.created';
const common = { type, thing: 'account', description: 'A person has an account.' };
const data = { id: z.string(), verified: z.boolean(), role: z.enum(['admin', 'member']) };
const contract = defineEvent({ ...common, version: 1, data });
const full: EventData = { id: 'a', verified: true, role: 'admin' };

const readers: readonly Reader[] = [
  { service: 'user', reader: 'create-profile', types: [type] },
  { service: 'user', reader: 'greet', types: [type, 'auth.account.updated'] },
  { service: 'data', reader: 'grant', types: [type] },
  { service: 'auth', reader: 'count', types: [type] },
  { service: 'data', reader: 'other', types: ['auth.session.ended'] },
];

const keptOf = (released: EventContract, samples: Samples = { full }): KeptVersions => {
  const { version } = released;
  const kept: KeptVersion = { type, version, schema: jsonSchemaOf(released, released), samples };
  return new Map([[keyOf(kept), kept]]);
};

const check = (declared: EventContract | undefined, kept: KeptVersions, who = readers): readonly Verdict[] =>
  checkContracts({ catalogue: declared === undefined ? [] : [declared], kept, readers: who });

const changed = (shape: z.ZodRawShape): EventContract => defineEvent({ ...common, version: 1, data: shape });

describe('the compatibility gate', () => {
  it('says nothing of what is as it was released', () => {
    const [verdict] = check(contract, keptOf(contract));
    assert.deepEqual([verdict?.kind, verdict?.words], ['released', '']);
    assert.deepEqual(verdict?.readers, ['user (create-profile, greet)', 'data (grant)', 'auth (count)']);
    assert.deepEqual(verdict.deploy, ['user', 'data', 'auth'], 'what records it comes last');
  });

  it('tells of a new type, which breaks nobody', () => {
    const [verdict] = check(contract, new Map());
    assert.equal(verdict?.kind, 'new');
    assert.equal(
      verdict.words,
      'auth.account.created 1 is not yet released: write released/auth.account.created/1.samples.json, then npm run contracts:release.',
    );
  });

  it('tells of a new version, and in which order to deploy', () => {
    const earlier = eventVersion({ version: 1, data });
    const two = defineEvent({
      ...common,
      version: 2,
      data: { ...data, email: z.string() },
      earlier,
      upcast: (old) => ({ ...old, email: '' }),
    });
    const kept = new Map([
      ...keptOf(contract),
      [keyOf({ type, version: 2 }), { type, version: 2, samples: { full: { ...full, email: 'a@example.org' } } }],
    ]);
    const [one, other] = check(two, kept);
    assert.equal(one?.kind, 'released', 'the first is still read');
    assert.equal(other?.kind, 'new');
    assert.equal(
      other.words,
      'auth.account.created 2 is not yet released: npm run contracts:release. Deploy user and data first, then auth.',
    );
  });

  it('tells of a compatible change', () => {
    const [verdict] = check(changed({ ...data, name: z.string().optional() }), keptOf(contract));
    assert.equal(verdict?.kind, 'changed');
    assert.equal(
      verdict.words,
      'auth.account.created 1: `name` is new, and optional. That is compatible, and not yet released: npm run contracts:release.',
    );
    const described = { ...contract, description: 'Somebody has an account.' };
    const [words] = check(described, keptOf(contract));
    assert.equal(words?.kind, 'changed');
    assert.match(words.words, /words about it have changed/);
  });

  it('says which deployed readers break, and how to go about it', () => {
    const [verdict] = check(changed({ ...data, verified: z.boolean().optional() }), keptOf(contract));
    assert.equal(verdict?.kind, 'broken');
    assert.equal(
      verdict.words,
      'auth.account.created 1: `verified` has become optional. Readers that are deployed expect it as it was: user (create-profile, greet), data (grant) and auth (count). Make it as it was, or release version 2 with an upcaster; deploy user and data first, then auth.',
    );
  });

  it('says that readers with fewer values of an enumeration break', () => {
    const role = z.enum(['admin', 'member', 'guest']);
    const [verdict] = check(changed({ ...data, role }), keptOf(contract), readers.slice(0, 1));
    assert.equal(
      verdict?.words,
      'auth.account.created 1: `role` may now be `guest`. Readers that are deployed expect it as it was: user (create-profile). Make it as it was, or release version 2 with an upcaster; deploy user first, then auth.',
    );
  });

  it('says that the log can no longer be read', () => {
    const [verdict] = check(changed({ ...data, email: z.string() }), keptOf(contract), readers.slice(0, 1));
    assert.equal(verdict?.kind, 'broken');
    assert.equal(
      verdict.words,
      'auth.account.created 1: `email` is new, and required. Events in the log are as it was, and could no longer be read: by user (create-profile). Make it as it was, or release version 2 with an upcaster; deploy user first, then auth.',
    );
  });

  it('says so too where no service of ours reads it: others may', () => {
    const [verdict] = check(changed({ id: z.string(), verified: z.boolean() }), keptOf(contract), []);
    assert.equal(
      verdict?.words,
      'auth.account.created 1: `role` is gone. Readers that are deployed expect it as it was: subscribers of your own, for no service here reads it. Make it as it was, or release version 2 with an upcaster; deploy your own subscribers first, then auth.',
    );
  });

  it('refuses that what was released is no longer declared', () => {
    const [verdict] = check(undefined, keptOf(contract), readers.slice(0, 1));
    assert.equal(verdict?.kind, 'broken');
    assert.equal(
      verdict.words,
      'auth.account.created 1 has been released, and the code no longer declares it: its events in the log could no longer be read, also by user (create-profile). Put it back.',
    );
  });

  it('refuses samples of what nobody declares', () => {
    const [verdict] = check(
      undefined,
      new Map([[keyOf({ type, version: 1 }), { type, version: 1, samples: { full } }]]),
    );
    assert.equal(verdict?.kind, 'broken');
    assert.match(verdict.words, /declares no such event.*remove released\/auth\.account\.created\/1\.samples\.json/);
  });

  it('holds an earlier version to what the log has of it, and no longer to its readers', () => {
    const two = (shape: z.ZodRawShape): EventContract =>
      defineEvent({
        ...common,
        version: 2,
        data: { id: z.string() },
        earlier: eventVersion({ version: 1, data: shape }),
        upcast: () => ({ id: 'a' }),
      });
    const [looser] = check(two({ ...data, verified: z.boolean().optional() }), keptOf(contract));
    assert.equal(looser?.kind, 'changed', looser?.words);
    const [tighter] = check(two({ ...data, email: z.string() }), keptOf(contract));
    assert.equal(tighter?.kind, 'broken');
    assert.match(tighter.words, /Version 1 has been released: make it as it was, and change version 2/);
  });

  it('fails where a golden sample is no longer read, and names it', () => {
    const samples = { full, odd: { ...full, verified: 'yes' } };
    const [verdict] = check(contract, keptOf(contract, samples));
    assert.equal(verdict?.kind, 'broken');
    assert.equal(
      verdict.words,
      'auth.account.created 1: the sample `odd` can no longer be read: /verified invalid_type.',
    );
  });

  it('fails where an upcaster cannot lift a golden sample', () => {
    const two = defineEvent({
      ...common,
      version: 2,
      data: { id: z.string().min(3) },
      earlier: eventVersion({ version: 1, data }),
      upcast: ({ id }) => ({ id }),
    });
    const [verdict] = check(two, keptOf(contract));
    assert.equal(verdict?.kind, 'broken');
    assert.match(verdict.words, /the sample `full` can no longer be read: \/id too_small \(version 2\)/);
  });

  it('fails where golden samples have been taken away', () => {
    const kept = new Map([...keptOf(contract)].map(([key, { samples: _samples, ...rest }]) => [key, rest]));
    const [verdict] = check(contract, kept);
    assert.equal(verdict?.kind, 'broken');
    assert.match(verdict.words, /there is no released\/auth\.account\.created\/1\.samples\.json/);
  });
});
