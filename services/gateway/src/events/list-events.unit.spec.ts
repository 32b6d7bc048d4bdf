import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Fault, type EventEnvelope } from '@causeway/contracts';

import type { ServiceClient } from '../services/service-client.ts';
import { createEventCursors } from './event-cursor.ts';
import { listEvents } from './list-events.ts';

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

/** Services that hold events in turn, and answer as they do. */
const clientOf = (events: readonly EventEnvelope[]): ServiceClient => ({
  ask: (service, { query = {} }) => {
    const own = events.filter((_each, index) => ['auth', 'user', 'data'][index % 3] === service);
    const rest = own.filter(({ id }) => id > (query.after ?? ''));
    return Promise.resolve({ status: 200, json: { items: rest.slice(0, Number(query.limit)) } });
  },
  close: () => Promise.resolve(),
});

const allPages = async (
  events: readonly EventEnvelope[],
  limit: number,
): Promise<{ ids: string[]; ends: string[] }> => {
  const ids: string[] = [];
  const ends: string[] = [];
  let after: string | undefined;
  do {
    const visible = ({ authid }: EventEnvelope): boolean => authid === 'me';
    const question = { correlationId: 'c', after, limit, visible };
    const page = await listEvents(clientOf(events), question, { requestId: randomUUID() });
    assert.ok(page.items.length <= limit);
    ids.push(...page.items.map(({ id }) => id));
    after = page.next;
    if (after !== undefined) ends.push(after);
  } while (after !== undefined);
  return { ids, ends };
};

describe('a list of events', () => {
  const mixed = Array.from({ length: 60 }, (_, number) => event(number, number % 4 === 0 ? 'me' : 'other'));
  const mine = mixed.filter(({ authid }) => authid === 'me').map(({ id }) => id);

  it('is of what the caller may see, each once, and every page but the last is full', async () => {
    for (const limit of [1, 4, 7, 15, 200]) {
      const { ids, ends } = await allPages(mixed, limit);
      assert.deepEqual(ids, mine, `in pages of ${limit}`);
      assert.equal(ends.length, Math.ceil(mine.length / limit) - 1);
      assert.ok(ends.every((id) => mine.includes(id)));
    }
  });

  it('goes on behind many that are not shown', async () => {
    const hidden = Array.from({ length: 500 }, (_, number) => event(number, 'other'));
    assert.deepEqual((await allPages([...hidden, event(900, 'me')], 5)).ids, ['e0900']);
  });
});

describe('a cursor of events', () => {
  const key = 'an internal key for this test';
  const cursors = createEventCursors(key);
  const scope = { correlationId: 'c', principal: 'usr_1' };
  const codeOf = (act: () => string): string => {
    try {
      return act();
    } catch (error) {
      assert.ok(error instanceof Fault);
      return error.code;
    }
  };

  it('is read by every gateway of the installation, and says nothing', () => {
    const cursor = cursors.seal(scope, 'evt_1');
    assert.equal(createEventCursors(key).open(scope, cursor), 'evt_1');
    assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /evt_1|usr_1/);
    assert.equal(
      codeOf(() => createEventCursors(`another ${key}`).open(scope, cursor)),
      'invalid-request',
    );
  });

  it('is of one query and one person, and cannot be changed', () => {
    const cursor = cursors.seal(scope, 'evt_1');
    assert.equal(
      codeOf(() => cursors.open({ ...scope, correlationId: 'd' }, cursor)),
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
