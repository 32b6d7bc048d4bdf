import { toSequence, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkAll } from './check-all.ts';
import { checkPromptness } from './check-promptness.ts';
import type { CheckName, History, ServiceHistory } from './history.ts';

const day = Date.parse('2026-01-01T00:00:00.000Z');

const event = (id: string, subject: string, sequence: number, causationid?: string): EventEnvelope => ({
  specversion: '1.0',
  id,
  type: `shop.${subject.split('/')[0] ?? ''}.changed`,
  source: '/causeway/shop',
  subject,
  sequence: toSequence(sequence),
  time: new Date(day + sequence).toISOString(),
  datacontenttype: 'application/json',
  dataschema: 'urn:causeway:contract:shop.order.changed:1',
  correlationid: 'cmd-1',
  ...(causationid === undefined ? {} : { causationid }),
  authtype: 'system',
  data: {},
});

/** An order of three revisions; a stock entry that a handler has changed because of the first; both read by two handlers. */
const [o1, o2, o3] = [event('o1', 'order/1', 1), event('o2', 'order/1', 2), event('o3', 'order/1', 3)];
const s1 = event('s1', 'stock/9', 1, 'o1');
const all = [o1, o2, o3, s1];
const orders = ['shop.order.changed'];

const shop: ServiceHistory = {
  service: 'shop',
  handlers: [
    { name: 'reserve', kind: 'transaction', order: 'ordered', types: orders },
    { name: 'mail', kind: 'external', order: 'ordered', types: orders },
    { name: 'copy', kind: 'projection', order: 'commutative', types: orders },
  ],
  documents: [
    { collection: 'orders', id: '1', revision: 3, event: 'o3' },
    { collection: 'stock', id: '9', revision: 1, event: 's1' },
  ],
  log: all.map((each, index) => ({ slot: 0, pos: index + 1, at: day + 10, event: each })),
  published: all.map((each) => ({ partition: 0, event: each })),
  unreadable: ['causeway.shop/0/7'],
  handled: [
    ...['reserve', 'mail'].flatMap((handler) =>
      ['o1', 'o2', 'o3'].map((id) => ({
        ...{ handler, event: id, status: 'done' as const, at: day + 20 },
        caused: handler === 'reserve' && id === 'o1' ? ['s1'] : [],
      })),
    ),
    { handler: '*', event: 'causeway.shop/0/7', status: 'discarded', caused: [], at: day },
  ],
  journal: ['reserve', 'mail'].map((handler) => ({
    ...{ handler, source: '/causeway/shop', subject: 'order/1' },
    applied: [o1, o2, o3].map(({ id, sequence }) => ({ event: id, sequence })),
  })),
  projected: [{ handler: 'copy', event: 'o3', status: 'done' }],
};

const whole: History = {
  services: [shop],
  commands: [
    { id: 'cmd-1', service: 'shop', name: 'order', args: {}, outcome: 'acknowledged', events: ['o1', 'o2', 'o3'] },
    { id: 'cmd-2', service: 'shop', name: 'order', args: {}, outcome: 'unknown', events: [] },
  ],
};

const broken = (change: Partial<ServiceHistory>): History => ({ ...whole, services: [{ ...shop, ...change }] });

const without = <T>(items: readonly T[], gone: (item: T) => boolean): T[] => items.filter((each) => !gone(each));

const journalOf = (handler: string, sequences: readonly [string, number][]): ServiceHistory['journal'] => [
  ...shop.journal.filter((each) => each.handler !== handler),
  {
    ...{ handler, source: '/causeway/shop', subject: 'order/1' },
    applied: sequences.map(([id, sequence]) => ({ event: id, sequence: toSequence(sequence) })),
  },
];

/** More events of a command than it says. */
const again = (correlationid: string, times = 1): History => {
  const more = Array.from({ length: times }, (_, index) => ({
    ...event(`x${index + 1}`, 'order/2', index + 1),
    correlationid,
  }));
  return broken({
    log: [...all, ...more].map((each, index) => ({ slot: 0, pos: index + 1, at: day, event: each })),
  });
};

/** Histories with one fault each, and the check that is to tell of it, with words that name it. */
const faults: readonly (readonly [name: string, history: History, check: CheckName, words: RegExp])[] = [
  [
    'an acknowledged event that is not in the log',
    { ...whole, commands: [{ ...whole.commands[0]!, events: ['o1', 'gone'] }] },
    'no loss',
    /event gone of the acknowledged command cmd-1 is not in the log/,
  ],
  [
    'a revision whose event never left its document',
    broken({ documents: [{ collection: 'orders', id: '1', revision: 4, event: 'o4' }, ...shop.documents.slice(1)] }),
    'no loss',
    /event o4 of shop\/orders\/1, revision 4, is not in the log/,
  ],
  [
    'an event that is not in Kafka',
    broken({ published: without(shop.published, (each) => each.event.id === 'o3') }),
    'no loss',
    /event o3 .*is not in Kafka/,
  ],
  [
    'an event that a handler never had',
    broken({ handled: without(shop.handled, (each) => each.handler === 'mail' && each.event === 'o2') }),
    'no loss',
    /event o2 .*has not reached shop\/mail/,
  ],
  [
    'an event that is still parked',
    broken({
      handled: shop.handled.map((each) =>
        each.handler === 'reserve' && each.event === 'o2' ? { ...each, status: 'parked' } : each,
      ),
    }),
    'no loss',
    /event o2 .*is parked at shop\/reserve/,
  ],
  [
    'a projection that stands still',
    broken({ projected: [{ handler: 'copy', event: 'o3', status: 'pending' }] }),
    'no loss',
    /event o3 is pending at shop\/copy/,
  ],
  [
    'bytes that nobody has parked',
    broken({ handled: without(shop.handled, (each) => each.handler === '*') }),
    'no loss',
    /causeway\.shop\/0\/7.* was not parked by shop/,
  ],
  [
    'an event whose revision was never committed',
    broken({
      documents: shop.documents.map((each) => (each.id === '1' ? { ...each, revision: 2, event: 'o2' } : each)),
    }),
    'no phantom',
    /no document of shop has got to the last event of order\/1, o3/,
  ],
  [
    'two events of one revision',
    broken({ log: [...shop.log, { slot: 0, pos: 5, at: day, event: event('o3b', 'order/1', 3) }] }),
    'no phantom',
    /two events 3/,
  ],
  [
    'an event in Kafka that is in no log',
    broken({ published: [...shop.published, { partition: 0, event: event('x1', 'order/2', 1) }] }),
    'no phantom',
    /event x1 \(order\/2 1\) is in the topic of shop, and not in its log/,
  ],
  [
    'a log with a hole',
    broken({ log: shop.log.map((each) => (each.pos === 4 ? { ...each, pos: 5 } : each)) }),
    'order',
    /slot 0 goes from 3 to 5/,
  ],
  [
    'a topic that skips a revision at first',
    broken({ published: [o1, o3, o2, s1, o1].map((each) => ({ partition: 0, event: each })) }),
    'order',
    /the topic of shop: order\/1 goes from 1 to 3 \(o3\)/,
  ],
  [
    'a subject in two partitions',
    broken({ published: shop.published.map((each) => (each.event.id === 'o2' ? { ...each, partition: 1 } : each)) }),
    'order',
    /order\/1 is in partitions 0 and 1/,
  ],
  [
    'effects that pass each other',
    broken({
      journal: journalOf('reserve', [
        ['o1', 1],
        ['o3', 3],
        ['o2', 2],
      ]),
    }),
    'order',
    /shop\/reserve: .*order\/1 was handled at 2 \(o2\) after 3/,
  ],
  [
    'an effect twice',
    broken({
      journal: journalOf('reserve', [
        ['o1', 1],
        ['o2', 2],
        ['o2', 2],
        ['o3', 3],
      ]),
    }),
    'effect once',
    /shop\/reserve has had the effect of o2 2 times/,
  ],
  [
    'an effect of a batch twice',
    broken({
      handlers: shop.handlers.map((each) => (each.name === 'reserve' ? { ...each, kind: 'batch' } : each)),
      journal: journalOf('reserve', [
        ['o1', 1],
        ['o2', 2],
        ['o3', 3],
        ['o3', 3],
      ]),
    }),
    'effect once',
    /shop\/reserve has had the effect of o3 2 times/,
  ],
  [
    'an effect that is marked and was not made',
    broken({
      journal: journalOf('reserve', [
        ['o1', 1],
        ['o2', 2],
      ]),
    }),
    'effect once',
    /shop\/reserve is done with o3, and has had no effect of it/,
  ],
  [
    'an event that nobody has asked for',
    { ...whole, commands: whole.commands.map((each) => (each.id === 'cmd-1' ? { ...each, id: 'cmd-9' } : each)) },
    'whole causes',
    /event o1 goes back to cmd-1, which nobody has sent/,
  ],
  [
    'an acknowledged command that was carried out twice',
    again('cmd-1'),
    'command once',
    /cmd-1 was acknowledged with o1, o2, o3, and has recorded o1, o2, o3, x1/,
  ],
  [
    'a command without an answer that was carried out twice',
    { ...again('cmd-2', 4), commands: whole.commands },
    'command once',
    /cmd-2, which had no answer, has recorded 4 events: x1, x2, x3, x4/,
  ],
  [
    'an event whose cause is in no log',
    broken({
      log: shop.log.map((each) => (each.event.id === 's1' ? { ...each, event: { ...s1, causationid: 'gone' } } : each)),
    }),
    'whole causes',
    /event s1 was caused by gone, which is in no log/,
  ],
  [
    'a correlation that changes on the way',
    broken({
      log: shop.log.map((each) =>
        each.event.id === 's1' ? { ...each, event: { ...s1, correlationid: 'cmd-2' } } : each,
      ),
    }),
    'whole causes',
    /event s1 and its cause o1 have different correlation ids/,
  ],
];

describe('the oracle', () => {
  it('finds nothing in a history that is whole', () => {
    assert.deepEqual(checkAll(whole), []);
  });

  it('takes duplicates in Kafka, and repeated calls of an external handler, for what they are', () => {
    const twice = broken({
      published: [...shop.published, ...shop.published.slice(0, 2)],
      journal: journalOf('mail', [
        ['o1', 1],
        ['o2', 2],
        ['o2', 2],
        ['o3', 3],
      ]),
    });
    assert.deepEqual(checkAll(twice), []);
  });

  for (const [name, history, check, words] of faults) {
    it(`tells of ${name}`, () => {
      const told = checkAll(history).filter((each) => each.check === check);
      assert.ok(
        told.some(({ what }) => words.test(what)),
        JSON.stringify(checkAll(history), undefined, 1),
      );
    });
  }

  it('tells of an event that had to wait for a sweep', () => {
    const options = { since: day, withinMs: 1_000 };
    assert.deepEqual(checkPromptness(whole, options).violations, []);
    const late = broken({ log: shop.log.map((each) => (each.pos === 4 ? { ...each, at: day + 5_000 } : each)) });
    const { violations, latencies } = checkPromptness(late, options);
    assert.deepEqual(violations, [{ check: 'promptness', what: 'event s1 took 4999 ms to the log of shop' }]);
    assert.equal(latencies.count, 6);
    assert.deepEqual(checkPromptness(late, { ...options, since: day + 3_600_000 }).violations, []);
  });
});
