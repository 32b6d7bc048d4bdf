import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { FindBreakingOptions } from './check-records.ts';
import { findBreaking } from './check-records.ts';
import { parseDefinition } from './parse-definition.ts';

const definition = parseDefinition({ schema: { properties: { n: { type: 'integer', maximum: 10_000 } } } });
const open: FindBreakingOptions['open'] = ({ fields }) => fields;
const counted = (count: number): FindBreakingOptions['records'] =>
  ({ find: () => Array.from({ length: count }, (_, n) => ({ _id: `rec_${n}`, fields: { n } })) }) as never;

describe('records that are held against a definition', () => {
  it('are told of while they are looked at', async () => {
    const told: number[] = [];
    const found: string[] = [];
    const tell = (checked: number): Promise<void> => Promise.resolve(void told.push(checked));
    const checked = await findBreaking({ records: counted(10_003), definition, open, tell }, ({ id }) =>
      found.push(id),
    );
    assert.equal(checked, 10_003);
    assert.deepEqual(told, [0, 5_000, 10_000, 10_003]);
    assert.deepEqual(found, ['rec_10001', 'rec_10002']);
  });

  it('let others of the process have their turn', async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await findBreaking({ records: counted(10_000), definition, open, tell: () => Promise.resolve() }, () => undefined);
    isOver = true;
    assert.ok(turns >= 40, `${turns} turns`);
  });

  it('are looked at no further by who may not', async () => {
    const tell = (checked: number): Promise<void> =>
      checked < 5_000 ? Promise.resolve() : Promise.reject(new Error('somebody else does'));
    await assert.rejects(
      findBreaking({ records: counted(9_000), definition, open, tell }, () => undefined),
      /somebody else/,
    );
  });
});
