import { defineEvent } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MongoClient } from 'mongodb';
import { z } from 'zod';

import { testCause, type Note } from '../testing/test-events.ts';
import { recordedCollection, type RecordedCollection } from './recorded-collection.ts';
import { draft } from './recorded-document.ts';
import { SessionJournal } from './session-journal.ts';

describe('writes while MongoDB is away', () => {
  let client: MongoClient;
  let notes: RecordedCollection<Note>;
  let bells: number;
  const created = defineEvent({
    type: 't.note.created',
    version: 1,
    thing: 'note',
    description: '',
    data: { text: z.string() },
  });
  beforeEach(() => {
    bells = 0;
    // Nothing listens on port 1: every operation ends in the driver's server selection error.
    client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 100 });
    notes = recordedCollection<Note>('notes', {
      service: 't',
      db: client.db('none'),
      journal: new SessionJournal(),
      bell: () => {
        bells += 1;
      },
      transaction: () => Promise.reject(new Error('not in this test')),
      now: () => new Date(),
      thing: 'note',
      reusableIds: false,
    });
  });
  afterEach(() => client.close());
  const creation = (id: string) => ({ _id: id, state: { text: id }, event: draft(created, { text: id }) });

  it('reports none of many as created, and rings for none', async () => {
    const results = await notes.createMany(testCause(), [creation('a'), creation('b')]);
    const statuses = results.map((each) => ('error' in each ? (each.error as { status?: number }).status : 'created'));
    assert.deepEqual(statuses, [503, 503]);
    assert.equal(bells, 0);
  });

  it('answers 503 to a single one', async () => {
    await assert.rejects(
      notes.create(testCause(), creation('c')),
      (error) => (error as { status?: number }).status === 503,
    );
    assert.equal(bells, 0);
  });
});
