import { accountCreated } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createPassedOver } from './passed-over.ts';

describe('events that nobody here handles', () => {
  const passing = () => {
    const counted: string[] = [];
    const told: { readonly type?: string }[] = [];
    const pass = createPassedOver({
      service: 'shop',
      metrics: { passedOver: (topic, contract) => void counted.push(`${topic} ${contract}`) },
      logger: { info: (about: object) => void told.push(about) },
    });
    return { pass, counted, told };
  };

  it('are known where they are of this service, or there is a contract of them here', () => {
    const { pass, counted, told } = passing();
    pass('causeway.shop', 'shop.order.archived');
    pass('causeway.auth', accountCreated.type);
    assert.deepEqual(counted, ['causeway.shop known', 'causeway.auth known']);
    assert.deepEqual(told, []);
  });

  it('are told of where nothing here knows their type: each type once, however many come', () => {
    const { pass, counted, told } = passing();
    for (const type of ['auth.account.renamed', 'auth.account.renamed', 'auth.account.merged'])
      pass('causeway.auth', type);
    assert.deepEqual(
      counted,
      Array.from({ length: 3 }, () => 'causeway.auth unknown'),
    );
    assert.deepEqual(
      told.map(({ type }) => type),
      ['auth.account.renamed', 'auth.account.merged'],
    );
  });

  it('fill neither memory nor logs by types that somebody makes up', () => {
    const { pass, counted, told } = passing();
    for (let index = 0; index < 5_000; index += 1) pass('causeway.auth', `auth.${index}.${'x'.repeat(10_000)}`);
    assert.equal(counted.length, 5_000);
    assert.equal(told.length, 100);
    assert.ok(told.every(({ type = '' }) => type.length <= 200));
  });
});
