import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../testing/test-data.ts';
import type { TestData, TestReplica } from '../testing/test-data.ts';
import { forSeeds } from './testing/for-seeds.ts';
import { differ } from './testing/generate-twins.ts';
import type { HiddenCase } from './testing/hidden-values.ts';
import { demandNothingTold, generateHiddenCase } from './testing/hidden-values.ts';
import type { OpenWorld } from './testing/open-world.ts';
import { openWorld } from './testing/open-world.ts';

const { CAUSEWAY_TEST_LONG } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 2 : 100;
/** Of twins of which others see more, also from caches. */
const kept = [8];

describe('what is hidden from somebody', () => {
  let data: TestData;
  let replica: TestReplica;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
  });

  after(() => data.stop());

  it('is told by nothing: worlds that differ in that alone are answered the same', async (test) => {
    let answers = 0;
    const demand = async (world: OpenWorld, given: HiddenCase): Promise<void> => {
      const records = given.world.records.map((entry, index) => ({ ...entry, fields: given.others[index] ?? {} }));
      const projects = given.otherProjects;
      const other = await openWorld({ data, replica }, { ...given.world, records, projects });
      if (other !== undefined && differ(given)) answers += await demandNothingTold(world, other, given);
    };
    await forSeeds({ data, replica, kept, rounds }, generateHiddenCase, demand);
    test.diagnostic(`${answers} pairs of answers compared`);
    assert.ok(answers > 0);
  });
});
