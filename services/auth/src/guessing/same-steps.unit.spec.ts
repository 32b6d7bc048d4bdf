import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';

import type { Credentials } from '../accounts/account.model.ts';
import { createSignUpByMail } from '../accounts/sign-up-by-mail.ts';
import { createOpenProof } from '../proofs/open-proof.ts';
import type { OpenProofDependencies } from '../proofs/open-proof.ts';
import { createRequestProof } from '../proofs/request-proof.ts';
import type { RequestProofDependencies } from '../proofs/request-proof.ts';
import { createSignIn } from '../sessions/sign-in.ts';
import { createGuessGuard } from './guess-guard.ts';

const cause: Cause = { correlationId: 'c', principal: { type: 'system' } };
const known = { address: 'ada@example.com', key: 'ada@example.com' };
const unknown = { address: 'eve@example.com', key: 'eve@example.com' };
const account = { _id: 'usr_1', roles: ['member'], passwordHash: 'hash', accessVersion: 1, sessionsFrom: 1 };

/** Every call of a use case, by name: what takes time, and what is left behind. */
const recorder = () => {
  const steps: string[] = [];
  const step =
    <Value>(name: string, value: Value) =>
    (): Promise<Value> => {
      steps.push(name);
      return Promise.resolve(value);
    };
  return { steps, step };
};

const stepsOfSignIn = async (email: typeof known): Promise<string[]> => {
  const { steps, step } = recorder();
  const never = () => assert.fail('somebody got in');
  const guesser = { account: '', budget: 'strangers' } as const;
  const place = { guesser, number: 1, others: [], hadOthers: false, windows: {} };
  const guard = createGuessGuard({
    secret: Buffer.alloc(32),
    counters: {
      take: step('count', { place }),
      clear: step('forgive', undefined),
      giveBack: step('give back', undefined),
      clearAccount: step('forgive all', undefined),
    },
    journal: { failed: step('note', undefined), locked: step('lock', undefined), cleared: step('clear', undefined) },
  });
  const signIn = createSignIn({
    guard,
    knownDevices: { find: step('look at the device', undefined) },
    accounts: { byEmail: step('look up', email === known ? (account as unknown as Credentials) : undefined) },
    // The hasher of this service hashes for nobody too.
    passwords: { matches: step('hash', false) },
    ...{ renewHash: never, completeSignIn: never },
  });
  const wrong = signIn(cause, { email, password: 'not the password', device: { ip: '192.0.2.1' } });
  await assert.rejects(wrong, (error) => error instanceof Fault && error.code === 'invalid-credentials');
  return steps;
};

type Recorder = ReturnType<typeof recorder>;

const requesting = ({ step }: Recorder) => {
  const opening = {
    proofs: {
      native: {
        find: () => ({ limit: () => ({ toArray: step('look for open ones', []) }) }),
      },
      create: step('create', { event: { id: 'evt_1' } }),
      update: step('update', undefined),
    },
    lifetimesMs: { 'verify-email': 1, 'sign-up': 1 },
    now: () => new Date(0),
  } as unknown as OpenProofDependencies;
  const dependencies = {
    openProof: createOpenProof(opening),
    quota: { take: step('take a place', true), meet: step('meet', undefined) },
    lifetimesMs: { 'verify-email': 1, 'sign-up': 1 },
    persons: { enter: step('look for the person', true) },
    transaction: (work: (session: never) => Promise<unknown>) => work(undefined as never),
  } as unknown as RequestProofDependencies;
  return createRequestProof(dependencies);
};

const stepsOfRequest = async (email: typeof known): Promise<string[]> => {
  const recording = recorder();
  assert.deepEqual(await requesting(recording)(cause, { kind: 'verify-email', email }), ['evt_1']);
  return recording.steps;
};

/** Nothing that could tell whose an address is, is even given to it. */
const stepsOfSignUp = async (email: typeof known, password?: string): Promise<string[]> => {
  const recording = recorder();
  const { step } = recording;
  const never = () => assert.fail('nothing is repeated');
  const signUp = createSignUpByMail({
    admitAsker: step('count who asks', undefined),
    passwords: { hash: step('hash', '$argon2id$…') },
    judgePassword: step('judge', undefined),
    requestProof: requesting(recording),
    idempotency: { ensureIndexes: never, find: never, has: never, run: never },
    transaction: (work) => work(undefined as never),
    answer: (events) => events,
  });
  const { answer } = await signUp(cause, { email, password, device: {} });
  assert.deepEqual(answer, ['evt_1']);
  return recording.steps;
};

describe('an address that somebody has and one that nobody has', () => {
  it('take the same steps at a sign-in: one count, one look, one hash, one note', async () => {
    const steps = await stepsOfSignIn(known);
    assert.deepEqual(steps, ['look at the device', 'count', 'look up', 'hash', 'note']);
    assert.deepEqual(await stepsOfSignIn(unknown), steps);
  });

  it('take the same steps where a link is asked for, none of which looks whose it is', async () => {
    const steps = await stepsOfRequest(known);
    assert.deepEqual(steps, ['take a place', 'meet', 'look for open ones', 'create']);
    assert.deepEqual(await stepsOfRequest(unknown), steps);
  });

  it('take the same steps at a sign-up that is to be verified: one hash, one count, one link', async () => {
    const steps = await stepsOfSignUp(known, 'a password');
    assert.deepEqual(steps, ['count who asks', 'judge', 'hash', 'take a place', 'meet', 'create']);
    assert.deepEqual(await stepsOfSignUp(unknown, 'a password'), steps);
    const without = await stepsOfSignUp(known);
    assert.deepEqual(without, ['count who asks', 'take a place', 'meet', 'create']);
    assert.deepEqual(await stepsOfSignUp(unknown), without);
  });
});
