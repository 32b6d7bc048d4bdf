import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { Decision } from '../recording/recorded-writes.ts';
import type { RemovalDocument } from './removal.model.ts';
import { removalHandlers } from './removal.ts';

/** Has one part of a removal done, and gives what was asked of its steps, and what its marker is to say. */
async function goOn(marker: Pick<RemovalDocument, 'step' | 'place'>) {
  const asked: string[] = [];
  const step = (name: string) => ({
    name,
    run: ({ place }: { readonly place: string | undefined }) => {
      asked.push(`${name} from ${place ?? 'its beginning'}`);
      return Promise.resolve({ counts: {} });
    },
  });
  const document = {
    _id: 'acc_1',
    event: 'event',
    revision: 3,
    pass: 'first',
    status: 'working',
    counts: {},
    ...marker,
  };
  const decided: Decision<RemovalDocument>[] = [];
  const markers = {
    native: { findOne: () => Promise.resolve(document) },
    update: (_cause: unknown, _id: string, decide: () => Decision<RemovalDocument>) => void decided.push(decide()),
  } as unknown as RecordedCollection<RemovalDocument>;
  const handlers = removalHandlers({
    service: 'data',
    steps: [step('one'), step('two')],
    markers: () => markers,
    persons: () => ({ close: () => Promise.reject(new Error('unexpected')), written: () => Promise.resolve() }),
    kafkaUntil: () => Promise.resolve(new Date(0)),
  });
  const going = handlers.find(({ name }) => name === 'continue-removal');
  assert.ok(going?.kind === 'transaction');
  const event = { id: 'event', data: { accountId: 'acc_1' } };
  await going.handle(event as never, { cause: {} } as never);
  return { asked, state: decided[0]?.state };
}

describe('a removal', () => {
  it('goes on at the place of the step that it was left at', async () => {
    const { asked, state } = await goOn({ step: 'two', place: 'rec_7' });
    assert.deepEqual(asked, ['two from rec_7']);
    assert.deepEqual(state, { pass: 'first', status: 'prepared', step: '', counts: {} });
  });

  it('that was left at a step which this release does not know begins with the first, at its beginning', async () => {
    const { asked } = await goOn({ step: 'gone', place: 'rec_7' });
    assert.deepEqual(asked, ['one from its beginning', 'two from its beginning']);
  });
});
