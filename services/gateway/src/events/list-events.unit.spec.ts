import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Fault, type EventEnvelope } from '@causeway/contracts';

import { parsePlaces, type PlacedEvents } from '@causeway/service';

import type { ServiceClient } from '../services/service-client.ts';
import { createEventCursors } from './event-cursor.ts';
import { listEvents, type EventPage, type EventPlaces } from './list-events.ts';

const event = (number: number, authid: string): EventEnvelope => ({
  specversion: '1.0',
  id: `e${String(number).padStart(4, '0')}`,
  type: 'data.record.created',
  source: '/causeway/data',
  subject: `record/${number}`,
  sequence: '0000000000000001',
  time: new Date(0).toISOString(),
  datacontenttype: 'application/json',
  dataschema: 'urn:x',
  correlationid: 'c',
  authtype: 'app_user',
  authid,
  data: {},
});

/** The log of a service, in slots. */
type Log = EventEnvelope[][];

const serviceNames = ['auth', 'user', 'data'] as const;
const slots = 3;

/** Logs that hold events in turn. */
const logsOf = (events: readonly EventEnvelope[]): Log[] => {
  const logs = serviceNames.map(() => Array.from({ length: slots }, (): EventEnvelope[] => []));
  for (const [index, each] of events.entries()) logs[index % 3]?.[Math.floor(index / 3) % slots]?.push(each);
  return logs;
};

/** Services that answer from their logs as they do; `asked` sees how large the answers were. */
const clientOf = (logs: readonly Log[], asked: (bytes: number) => void = () => undefined): ServiceClient => ({
  ask: (service, { query = {} }) => {
    const after = parsePlaces(query.after ?? '');
    const log = logs[serviceNames.indexOf(service)] ?? [];
    const rest = log.flatMap((events, slot) =>
      events.map((each, index) => ({ slot, pos: index + 1, event: each })).slice(after?.get(slot) ?? 0),
    );
    const items = [];
    let bytes = 0;
    for (const each of rest.slice(0, Number(query.limit))) {
      bytes += JSON.stringify(each.event).length;
      if (items.length > 0 && bytes > Number(query.bytes)) break;
      items.push(each);
    }
    const json: PlacedEvents = { items, more: items.length < rest.length };
    asked(JSON.stringify(json).length);
    return Promise.resolve({ status: 200, json });
  },
  position: () => undefined,
  close: () => Promise.resolve(),
});

const pageOf = (client: ServiceClient, after: EventPlaces | undefined, limit: number): Promise<EventPage> => {
  const visible = ({ authid }: EventEnvelope): boolean => authid === 'me';
  return listEvents(client, { about: { correlationId: 'c' }, after, limit, visible }, { requestId: randomUUID() });
};

const allPages = async (client: ServiceClient, limit: number): Promise<EventEnvelope[][]> => {
  const pages: EventEnvelope[][] = [];
  let after: EventPlaces | undefined;
  do {
    const { items, next } = await pageOf(client, after, limit);
    assert.ok(items.length <= limit);
    pages.push([...items]);
    after = next;
  } while (after !== undefined);
  return pages;
};

const idsOf = (pages: readonly EventEnvelope[][]): string[] => pages.flat().map(({ id }) => id);

describe('a list of events', () => {
  const mixed = Array.from({ length: 60 }, (_, number) => event(number, number % 4 === 0 ? 'me' : 'other'));
  const mine = mixed.filter(({ authid }) => authid === 'me').map(({ id }) => id);

  it('is of what the caller may see, each once, and every page but the last is full', async () => {
    for (const limit of [1, 4, 7, 15, 200]) {
      const pages = await allPages(clientOf(logsOf(mixed)), limit);
      assert.deepEqual(idsOf(pages).sort(), mine, `in pages of ${limit}`);
      assert.ok(pages.slice(0, -1).every((page) => page.length === limit));
      assert.equal(pages.length, Math.ceil(mine.length / limit), 'and no page is empty');
      for (const page of pages) assert.deepEqual(idsOf([page]), idsOf([page]).sort(), 'a page is in the order of time');
    }
  });

  it('goes on behind many that are not shown', async () => {
    const hidden = Array.from({ length: 500 }, (_, number) => event(number, 'other'));
    assert.deepEqual(idsOf(await allPages(clientOf(logsOf([...hidden, event(900, 'me')])), 5)), ['e0900']);
  });

  it('has what is logged late, however old its id is, in a slot that was read before', async () => {
    const logs = logsOf(Array.from({ length: 45 }, (_, number) => event(100 + number, 'me')));
    const client = clientOf(logs);
    const first = await pageOf(client, undefined, 40);
    for (const log of logs) log[0]?.push(event(1, 'me'));
    const second = await pageOf(client, first.next, 40);
    assert.equal(second.items.filter(({ id }) => id === 'e0001').length, 3);
    assert.equal(first.items.length + second.items.length, 48);
    assert.equal(second.next, undefined);
  });

  it('ends a page of large events before its limit, and says that more follow', async () => {
    const text = 'x'.repeat(500_000);
    const large = Array.from({ length: 30 }, (_, number) => ({ ...event(number, 'me'), data: { text } }));
    let largest = 0;
    const pages = await allPages(
      clientOf(logsOf(large), (bytes) => (largest = Math.max(largest, bytes))),
      200,
    );
    assert.deepEqual(
      idsOf(pages).sort(),
      large.map(({ id }) => id),
    );
    for (const page of pages) assert.ok(JSON.stringify(page).length < 4.1 * 1_048_576, `${page.length} events`);
    assert.ok(pages.length <= 5, `${pages.length} pages`);
    assert.ok(largest < 4.1 * 1_048_576);
  });
});

describe('what services are asked', () => {
  it('is all that is known, and only those that record such types', async () => {
    const asked: unknown[] = [];
    const client: ServiceClient = {
      ...clientOf([]),
      ask: (service, { query = {} }) => {
        const { after: _after, limit: _limit, bytes: _bytes, ...question } = query;
        asked.push([service, question]);
        const json: PlacedEvents = { items: [], more: false };
        return Promise.resolve({ status: 200, json });
      },
    };
    const about = {
      correlationId: undefined,
      subject: 'record/rec_1',
      types: ['data.record.created', 'user.profile.updated', 'nobody.thing.happened'],
      causedBy: 'usr_1',
    };
    const question = { about, after: undefined, limit: 20, visible: () => true };
    assert.deepEqual(await listEvents(client, question, { requestId: randomUUID() }), { items: [], next: undefined });
    const query = { ...about, types: 'data.record.created,user.profile.updated,nobody.thing.happened' };
    assert.deepEqual(asked, [
      ['user', query],
      ['data', query],
    ]);
  });
});

describe('a cursor of events', () => {
  const key = 'an internal key for this test';
  const cursors = createEventCursors(key);
  const scope = { query: 'c', principal: 'usr_1' };
  const places: EventPlaces = new Map([
    ['auth', new Map()],
    ['user', new Map()],
    [
      'data',
      new Map([
        [0, 7],
        [11, 123_456],
      ]),
    ],
  ]);
  const codeOf = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (error) {
      assert.ok(error instanceof Fault);
      return error.code;
    }
  };

  it('is read by every gateway of the installation, and says nothing', () => {
    const cursor = cursors.seal(scope, places);
    assert.deepEqual(createEventCursors(key).open(scope, cursor), places);
    assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /data|usr_1/);
    assert.equal(
      codeOf(() => createEventCursors(`another ${key}`).open(scope, cursor)),
      'invalid-request',
    );
  });

  it('is of one query and one person, and cannot be changed', () => {
    const cursor = cursors.seal(scope, places);
    assert.equal(
      codeOf(() => cursors.open({ ...scope, query: 'd' }, cursor)),
      'invalid-request',
    );
    assert.equal(
      codeOf(() => cursors.open({ ...scope, principal: 'usr_2' }, cursor)),
      'not-found',
    );
    const bytes = Buffer.from(cursor, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      assert.equal(
        codeOf(() => cursors.open(scope, changed.toString('base64url'))),
        'invalid-request',
      );
    }
    for (const malformed of ['', 'x', 'e30']) {
      assert.equal(
        codeOf(() => cursors.open(scope, malformed)),
        'invalid-request',
      );
    }
  });
});
