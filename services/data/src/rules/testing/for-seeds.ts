import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';

import { seededRandom } from '../../conditions/testing/random.ts';
import type { Random } from '../../conditions/testing/random.ts';
import { shrink } from '../../conditions/testing/shrink.ts';
import type { TestData, TestReplica } from '../../testing/test-data.ts';
import type { GeneratedWorld } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import { openWorld } from './open-world.ts';

const { CAUSEWAY_TEST_SEED } = process.env;
const shrinkMs = 20_000;

/** A world, and what is tried in it. */
export interface WorldCase {
  readonly world: GeneratedWorld;
}

/** Where worlds are served, and which. */
export interface ForSeedsOptions {
  readonly data: TestData;
  readonly replica: TestReplica;
  /** Tried each time: what they have in them a test can count on. */
  readonly kept: readonly number[];
  /** How many more, one after the other from a random one on. */
  readonly rounds: number;
}

/** What a failure is about, without the values in it. */
const kindOf = (failure: Error | undefined): string | undefined => failure?.message.replace(/[^a-z ].*/is, '');

/**
 * Tries cases of one seed after the other; the one that fails is made as small as it goes in a while, and told with its seed.
 *
 * @param demand - throws where something is wrong
 * @throws AssertionError
 */
export async function forSeeds<Case extends WorldCase>(
  { data, replica, kept, rounds }: ForSeedsOptions,
  generate: (random: Random) => Case,
  demand: (world: OpenWorld, given: Case) => Promise<void>,
): Promise<void> {
  const failureOf = async (given: Case): Promise<Error | undefined> => {
    const world = await openWorld({ data, replica }, given.world);
    if (world === undefined) return undefined;
    try {
      await demand(world, given);
      return undefined;
    } catch (error) {
      assert.ok(error instanceof Error);
      return error;
    }
  };
  const first = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
  for (const seed of [...kept, ...Array.from({ length: rounds }, (_, index) => first + index)]) {
    const given = generate(seededRandom(seed));
    const failure = await failureOf(given);
    if (failure === undefined) continue;
    const deadline = performance.now() + shrinkMs;
    const smallest = await shrink(given, async (smaller) => {
      if (performance.now() > deadline) return false;
      // What is no case any more is none that fails.
      const found = await failureOf(smaller as Case).catch(() => undefined);
      return kindOf(found) === kindOf(failure);
    });
    assert.fail(`CAUSEWAY_TEST_SEED=${seed}: ${failure.message}\n${JSON.stringify(smallest)}`);
  }
}
