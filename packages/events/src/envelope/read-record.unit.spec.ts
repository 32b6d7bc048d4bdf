import { newEventId, topicOf, type EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { FetchedRecord } from '../kafka/port.ts';
import { slotOf } from '../relay/slot.ts';
import { MalformedEvent, toBinary } from './binary-mode.ts';
import { readRecord } from './read-record.ts';

const partitions = 4;

const event = (change: Partial<Record<keyof EventEnvelope, unknown>> = {}): EventEnvelope =>
  ({
    specversion: '1.0',
    id: newEventId(),
    type: 'notes.note.created',
    source: '/causeway/notes',
    subject: 'note/1',
    sequence: '0000000000000001',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:causeway:contract:notes.note.created:1',
    correlationid: newEventId(),
    authtype: 'system',
    data: { text: 'x' },
    ...change,
  }) as EventEnvelope;

const inBatch = (change: object = {}): EventEnvelope =>
  event({ batchid: newEventId(), batchindex: '2', batchsize: '3', ...change });

const recordOf = (of: EventEnvelope, change: Partial<FetchedRecord> = {}): FetchedRecord => ({
  topic: topicOf('notes'),
  partition: slotOf(of.subject, partitions),
  offset: 0n,
  timestampMs: 0,
  ...toBinary(of),
  ...change,
});

const nested = (levels: number): unknown => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));

describe('a record that arrives', () => {
  it('is the event that it carries', () => {
    const batch = { batchid: newEventId(), batchindex: '0', batchsize: '1' };
    const sent = event({ causationid: newEventId(), authid: 'usr_1', ...batch, data: nested(80) });
    assert.deepEqual(readRecord(recordOf(sent), partitions), sent);
  });

  it('may be of a type that nobody knows', () => {
    const sent = event({ type: 'notes.note.archived' });
    assert.equal(readRecord(recordOf(sent), partitions).type, 'notes.note.archived');
  });

  const refused: [string, FetchedRecord, RegExp][] = [
    ['lacks a header', recordOf(event({ correlationid: undefined })), /lacks ce_correlationid/],
    ['has no headers', { ...recordOf(event()), headers: {} }, /lacks ce_specversion, ce_id/],
    ['has a header twice', recordOf(event(), { doubled: ['ce_id', 'other', 'ce_id'] }), /come twice: ce_id$/],
    ['is no JSON', recordOf(event(), { value: Buffer.from([0xff, 0x00, 0x7b]) }), /not JSON/],
    ['has no value', recordOf(event(), { value: null }), /not JSON/],
    ['is of another specification', recordOf(event({ specversion: '2.0' })), /ce_specversion/],
    ['has no UUID', recordOf(event({ id: 'mine' })), /ce_id/],
    ['has a sequence that is not padded', recordOf(event({ sequence: '7' })), /ce_sequence/],
    ['has a sequence of zero', recordOf(event({ sequence: '0'.repeat(16) })), /ce_sequence/],
    ['has a sequence that no double holds', recordOf(event({ sequence: '9'.repeat(16) })), /ce_sequence/],
    ['has no number for its sequence', recordOf(event({ sequence: '0000000000000x01' })), /ce_sequence/],
    ['has a time that is none', recordOf(event({ time: 'yesterday' })), /ce_time/],
    ['has a time that cannot be', recordOf(event({ time: '2026-13-40T03:04:05Z' })), /ce_time/],
    ['has an unknown principal', recordOf(event({ authtype: 'root' })), /ce_authtype/],
    ['is not of JSON', recordOf(event({ datacontenttype: 'text/plain' })), /content-type/],
    ['lacks a part of its batch', recordOf(event({ batchid: newEventId(), batchindex: '0' })), /some are missing/],
    ['has a batch without a UUID', recordOf(inBatch({ batchid: 'mine' })), /ce_batchid/],
    ['has a place in its batch that is no number', recordOf(inBatch({ batchindex: '1x' })), /ce_batchindex/],
    ['has a padded place in its batch', recordOf(inBatch({ batchindex: '01' })), /ce_batchindex/],
    ['has a place beyond its batch', recordOf(inBatch({ batchindex: '3' })), /ce_batchindex/],
    ['has an empty batch', recordOf(inBatch({ batchsize: '0' })), /ce_batchsize/],
    ['has its place in the batch twice', recordOf(inBatch(), { doubled: ['ce_batchindex'] }), /twice: ce_batchindex/],
    ['is of another service', recordOf(event({ type: 'auth.account.created' })), /ce_type belongs to another/],
    ['has a foreign source', recordOf(event({ source: '/somebody/else' })), /ce_source/],
    ['is on another partition than its subject', recordOf(event(), { partition: 0 }), /ce_subject/],
    ['is too large', recordOf(event(), { value: Buffer.alloc(5 * 1024 * 1024, 0x20) }), /more than/],
    ['is too deep to be kept', recordOf(event({ data: nested(200) })), /cannot be kept/],
    ['has a name that cannot be kept', recordOf(event({ data: { 'a\0b': 1 } })), /cannot be kept/],
  ];
  for (const [what, record, why] of refused) {
    it(`is refused where it ${what}`, () => {
      assert.throws(
        () => readRecord(record, partitions),
        (error: unknown) => error instanceof MalformedEvent && why.test(error.message),
      );
    });
  }

  it('is refused by names alone: no value of it is in the message', () => {
    const sent = event({ source: '/secret', sequence: 'secret', time: 'secret', id: 'secret' });
    assert.throws(
      () => readRecord(recordOf(sent), partitions),
      (error: Error) => !error.message.includes('secret'),
    );
  });

  it('belongs to where it is sent: the partition of this subject is not the first', () => {
    assert.notEqual(slotOf('note/1', partitions), 0);
  });
});
