import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { newEmail, type Person } from '../harness/people.ts';
import { knownOutcome } from './known-outcome.ts';

/** Long enough for any answer of a platform that is well; a caller that gets none by then repeats its call. */
const patienceMs = 5000;
const pauseMs = 100;
/** Whoever got no answer does not ask at once again. */
const pauseAfterFailureMs = 500;

/** What is written: an account, a record, or a change to a profile. */
export type Kind = 'sign-up' | 'record' | 'profile';

/** A write as a client means it; with a key it may be repeated without harm. */
export interface Write {
  readonly kind: Kind;
  /** What the write is recognised by: an address, a title, a text. */
  readonly mark: string;
  readonly isRepeatable: boolean;
  readonly send: () => Promise<Answer>;
}

/** A write that was answered with success. */
export interface Acknowledged {
  readonly write: Write;
  readonly answer: Answer;
}

/** Writers that go on whatever happens to the platform, and remember what they were promised. */
export interface Workload {
  readonly acknowledged: readonly Acknowledged[];
  /** Writes that got no answer, or one that says nothing of their outcome. */
  readonly unanswered: readonly Write[];
  /** Resolves when each kind has been acknowledged so many times more from now on. */
  readonly progress: (times: number, withinMs: number) => Promise<void>;
  /** Ends the writers, then repeats what is unanswered and repeatable, with its key, until it is answered. */
  readonly settle: (withinMs: number) => Promise<void>;
  /** Ends the writers; as often as one likes. */
  readonly stop: () => void;
}

/** Makes the writes of one kind, one after another. */
export type NextWrite = () => Write;

/** Accounts, each of somebody new. */
export const signUps: NextWrite = () => {
  const json = { email: newEmail(), password: `password-${randomUUID()}`, name: 'Ada' };
  return repeatable('sign-up', json.email, '/v1/auth/sign-up', { json });
};

/** Records that one person creates in a collection. */
export const records =
  (collection: string, { accessToken: token }: Person): NextWrite =>
  () => {
    const title = randomUUID();
    return repeatable('record', title, `/v1/data/${collection}`, { json: { title }, token });
  };

/** Changes to one person's profile: a write of this kind cannot be repeated. */
export const profileChanges =
  ({ accessToken: token }: Person): NextWrite =>
  () => {
    const bio = randomUUID();
    const options = { token, type: 'application/merge-patch+json', json: { bio } };
    const send = () => call('PATCH', '/v1/users/me', { ...options, signal: AbortSignal.timeout(patienceMs) });
    return { kind: 'profile', mark: bio, isRepeatable: false, send };
  };

function repeatable(kind: Kind, mark: string, path: string, options: { json: unknown; token?: string }): Write {
  const headers = { 'idempotency-key': randomUUID() };
  const send = () => call('POST', path, { ...options, headers, signal: AbortSignal.timeout(patienceMs) });
  return { kind, mark, isRepeatable: true, send };
}

const attempt = (write: Write): Promise<Answer | undefined> => knownOutcome(write.kind, write.send);

/** Starts one writer for each source of writes. */
export function startWorkload(sources: readonly NextWrite[]): Workload {
  const acknowledged: Acknowledged[] = [];
  let unanswered: Write[] = [];
  let isStopped = false;
  let violation: unknown;
  const writer = async (next: NextWrite): Promise<void> => {
    while (!isStopped) {
      const write = next();
      const answer = await attempt(write);
      if (answer === undefined) unanswered.push(write);
      else acknowledged.push({ write, answer });
      await wait(answer === undefined ? pauseAfterFailureMs : pauseMs);
    }
  };
  const running = sources.map((next) =>
    writer(next).catch((error: unknown) => {
      violation ??= error;
      isStopped = true;
    }),
  );
  const assertSound = (): void => {
    if (violation !== undefined) throw new Error('a writer was refused', { cause: violation });
  };
  const kinds = new Set(sources.map((next) => next().kind));
  const countOf = (kind: Kind): number => acknowledged.filter((each) => each.write.kind === kind).length;
  const stop = (): void => {
    isStopped = true;
  };
  return {
    acknowledged,
    stop,
    get unanswered() {
      return unanswered;
    },
    progress: async (times, withinMs) => {
      const goals = [...kinds].map((kind) => [kind, countOf(kind) + times] as const);
      await eventually(
        () => {
          if (violation !== undefined) return;
          for (const [kind, goal] of goals) assert.ok(countOf(kind) >= goal, `writes of kind ${kind} get no answer`);
        },
        { withinMs },
      );
      assertSound();
    },
    settle: async (withinMs) => {
      stop();
      await Promise.all(running);
      assertSound();
      const open = unanswered.filter((each) => each.isRepeatable);
      await eventually(
        async () => {
          for (const write of [...open]) {
            const answer = await attempt(write);
            assert.ok(answer, `a repeated ${write.kind} gets no answer`);
            acknowledged.push({ write, answer });
            open.splice(open.indexOf(write), 1);
          }
        },
        { withinMs, everyMs: 250 },
      );
      unanswered = unanswered.filter((each) => !each.isRepeatable);
    },
  };
}
