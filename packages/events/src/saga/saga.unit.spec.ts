import { defineEvent, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { draft } from '../recording/recorded-document.ts';
import { defineSaga, type SagaSteps, type SagaStep } from './saga.ts';

interface Greeting {
  readonly status: 'met' | 'greeted';
  readonly name: string;
}

const common = { version: 1, description: 'In a test.' };
const met = defineEvent({ ...common, thing: 'person', type: 'test.person.met', data: { name: z.string() } });
const left = defineEvent({ ...common, thing: 'person', type: 'test.person.left', data: {} });
const greeted = defineEvent({ ...common, thing: 'greeting', type: 'test.greeting.sent', data: {} });
const late = defineEvent({ ...common, thing: 'timer', type: 'test.greeting.late', data: {} });

const event = (type: string, data: object): EventEnvelope<never> =>
  ({ type, subject: 'person/p1', data }) as unknown as EventEnvelope<never>;

const id = () => 'p1';
const greet = (steps: (builders: SagaSteps<Greeting>) => readonly SagaStep<Greeting>[]) =>
  defineSaga<Greeting>({ name: 'greet', collection: 'greetings', thing: 'greeting', steps });
const nothing = () => undefined;

describe('a saga', () => {
  const saga = greet(({ starts, when }) => [
    starts(met, {
      id,
      decide: (state, { data: { name } }) => ({ state: { status: 'met', name }, event: draft(greeted, {}) }),
    }),
    when(left, {
      id,
      decide: (state) => ({ state: { ...state, status: 'greeted' }, event: draft(greeted, {}), ends: true }),
    }),
  ]);

  it('decides without any I/O, by the type of the event', () => {
    const first = saga.decide(undefined, event(met.type, { name: 'Zoë' }));
    assert.deepEqual(first?.state, { status: 'met', name: 'Zoë' });
    const last = saga.decide(first.state, event(left.type, {}));
    assert.deepEqual([last?.state.status, last?.ends], ['greeted', true]);
    assert.equal(saga.decide(first.state, event('test.person.unknown', {})), undefined);
  });

  it('is begun by what begins it alone', () => {
    assert.equal(saga.decide(undefined, event(left.type, {})), undefined);
  });

  it('is a handler of all that its steps take', () => {
    assert.deepEqual(
      saga.on.map(({ type }) => type),
      [met.type, left.type],
    );
    assert.deepEqual([saga.kind, saga.name], ['transaction', 'greet']);
  });

  it('does not run by itself: there is nothing for it to run on', () => {
    assert.throws(() => saga.handle(event(met.type, {}), {} as never), /greet runs among the handlers of createEvents/);
  });

  it('is refused where its steps do not go together', () => {
    const begin = ({ starts }: SagaSteps<Greeting>) => starts(met, { id, decide: nothing });
    const cases: [(builders: SagaSteps<Greeting>) => readonly SagaStep<Greeting>[], RegExp][] = [
      [(steps) => [begin(steps), begin(steps)], /greet has two steps for test\.person\.met/],
      [({ when }) => [when(left, { id, decide: nothing })], /greet never starts/],
      [(steps) => [begin(steps), steps.timeout('late', left, nothing)], /test\.person\.left is no timeout/],
    ];
    const other = defineEvent({ ...common, thing: 'timer', type: 'test.greeting.later', data: {} });
    cases.push([
      (steps) => [begin(steps), steps.timeout('late', late, nothing), steps.timeout('late', other, nothing)],
      /two timeouts of the name late/,
    ]);
    for (const [steps, message] of cases) assert.throws(() => greet(steps), { name: 'TypeError', message });
  });
});
