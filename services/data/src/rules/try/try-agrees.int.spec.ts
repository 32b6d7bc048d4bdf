import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../../testing/test-data.ts';
import type { TestData, TestReplica } from '../../testing/test-data.ts';
import { forSeeds } from '../testing/for-seeds.ts';
import { demandPastCallsAgree, generatePastCallsCase } from '../testing/past-calls-agree.ts';
import type { Found } from '../testing/trials-agree.ts';
import { demandTrialAgrees, generateTrialCase } from '../testing/trials-agree.ts';

const { CAUSEWAY_TEST_LONG } = process.env;
const rounds = CAUSEWAY_TEST_LONG === undefined ? 4 : 100;

describe('what is said of rules before they are saved', () => {
  let data: TestData;
  let replica: TestReplica;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
  });

  after(() => data.stop());

  it('is what becomes of records and fields once they are', async (test) => {
    const found: Found = {};
    await forSeeds({ data, replica, kept: [0, 3, 5], rounds }, generateTrialCase, (world, given) =>
      demandTrialAgrees(world, given, found),
    );
    test.diagnostic(JSON.stringify(found));
    for (const kind of ['read', 'update', 'delete']) {
      assert.ok((found[`${kind} gained`] ?? 0) + (found[`${kind} lost`] ?? 0) > 0, JSON.stringify(found));
    }
    assert.ok(Object.keys(found).some((kind) => kind.startsWith('field ')));
    assert.ok(Object.keys(found).some((kind) => kind.startsWith('writing ')));
  });

  it('is what explanations say of the same calls before and after', async (test) => {
    let changed = 0;
    await forSeeds({ data, replica, kept: [1], rounds }, generatePastCallsCase, async (world, given) => {
      changed += await demandPastCallsAgree(data, world, given);
    });
    test.diagnostic(`${changed} calls would be answered otherwise`);
    assert.ok(changed > 0);
  });
});
