import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { seededRandom } from '../../../services/data/src/conditions/testing/random.ts';
import { writeFolded } from '../../../services/data/src/testing/fold-writer.ts';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { recoveryMs } from './survives.ts';

const patienceMs = 15_000;
const writers = 3;
const pauseMs = 20;

/** Who writes to a collection, and how. */
export interface FoldWritersOptions {
  /** An administrator's of now. */
  readonly token: () => string;
  readonly authors: readonly [string, string];
  /** The gateways that are written through; undefined for the platform's own. */
  readonly gateways: readonly (string | undefined)[];
  readonly seed: number;
  /** What records hold besides. */
  readonly more?: (random: ReturnType<typeof seededRandom>) => object;
}

/** Writers that go on whatever happens to the platform. */
export interface FoldWriters {
  /** Resolves when so many more writes have been answered with success. */
  progress(times: number): Promise<void>;
  /** Has them wait, and resolves once nothing of theirs is on its way. @returns has them go on */
  pause(): Promise<() => void>;
  /** Ends them. @throws what one of them was refused with */
  stop(): Promise<void>;
}

/** Starts them; a test that fails leaves none. */
export function startFoldWriters(
  collection: string,
  { token, authors, gateways, seed, more }: FoldWritersOptions,
  context: TestContext,
): FoldWriters {
  let isOver = false;
  let writes = 0;
  let underWay = 0;
  let gate: Promise<undefined> | undefined;
  const written = Array.from({ length: writers }, (_, index) => {
    const random = seededRandom(seed + index);
    return writeFolded(collection, {
      ...{ random, authors, mayFail: true },
      ...(more === undefined ? {} : { more: () => more(random) }),
      goesOn: () => !isOver,
      done: () => (writes += 1),
      call: async (what, { body, type }) => {
        await gate;
        underWay += 1;
        const [method = '', path = ''] = what.split(' ');
        const signal = AbortSignal.timeout(patienceMs);
        const options = { token: token(), ...(type === undefined ? {} : { type }), at: random.pick(gateways), signal };
        try {
          const answer = await call(method, path, { ...options, ...(body === undefined ? {} : { json: body }) });
          return { status: answer.status, text: answer.text, body: answer.text === '' ? {} : answer.json() };
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          return { status: 599, text: String(error), body: {} };
        } finally {
          underWay -= 1;
        }
      },
    });
  });
  const allWritten = Promise.all(written);
  allWritten.catch(() => (isOver = true));
  context.after(() => (isOver = true));
  return {
    async progress(times) {
      const goal = writes + times;
      await eventually(() => assert.ok(isOver || writes >= goal, 'writers get no answer'), { withinMs: recoveryMs });
    },
    async pause() {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gate = promise;
      await eventually(() => assert.equal(underWay, 0, 'a write gets no answer'), {
        withinMs: 2 * patienceMs,
        everyMs: pauseMs,
      });
      return () => {
        gate = undefined;
        resolve(undefined);
      };
    },
    async stop() {
      isOver = true;
      await allWritten;
    },
  };
}
