import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { Random } from '../conditions/testing/random.ts';
import { openTestData } from '../testing/test-data.ts';
import type { TestData, TestReplica } from '../testing/test-data.ts';
import { demandFeedsAgree, generateFeedsCase } from './testing/feeds-agree.ts';
import type { WorldCase } from './testing/for-seeds.ts';
import { forSeeds } from './testing/for-seeds.ts';
import type { OpenWorld } from './testing/open-world.ts';
import { demandReadersAgree, generateReadersCase } from './testing/readers-agree.ts';
import type { Tally } from './testing/writers-agree.ts';
import { demandWritersAgree, generateWritersCase } from './testing/writers-agree.ts';

const { CAUSEWAY_TEST_LONG } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 2 : 100;
/** Of a world in which much is hidden, and seen. */
const kept = [104];

describe('who may see and do what', () => {
  let data: TestData;
  let replica: TestReplica;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
  });

  after(() => data.stop());

  const forEach = <Case extends WorldCase>(
    generate: (random: Random) => Case,
    demand: (world: OpenWorld, given: Case) => Promise<void>,
  ): Promise<void> => forSeeds({ data, replica, kept, rounds }, generate, demand);

  it('is the same by every way to read', async (test) => {
    const compared = { answers: 0, partial: 0 };
    await forEach(generateReadersCase, (world, { questions }) => demandReadersAgree(world, questions, compared));
    test.diagnostic(`${compared.answers} answers compared, ${compared.partial} of them with hidden fields`);
    assert.ok(compared.partial > 0);
  });

  it('is the same in feeds, at each change', async (test) => {
    let events = 0;
    await forEach(generateFeedsCase, async (world, given) => void (events += await demandFeedsAgree(world, given)));
    test.diagnostic(`${events} events compared`);
    assert.ok(events > 0);
  });

  it('is the same by every way to write', async (test) => {
    const tally: Tally = {};
    await forEach(generateWritersCase, (world, given) => demandWritersAgree(world, given, tally));
    test.diagnostic(Object.entries(tally).join(' · '));
    assert.ok(Object.keys(tally).length > 3);
  });
});
