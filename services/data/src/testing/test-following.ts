import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Change } from '@causeway/events';
import type { Timestamp } from 'mongodb';

import type { FeedHubOptions } from '../changes/feed-hub.ts';
import type { FeedBeginning } from '../changes/feed-options.ts';
import type { Feed } from '../changes/feed.ts';
import type { Looked } from '../changes/look-as-of.ts';
import type { Collection } from '../collections/collection-registry.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import type { Caller } from '../rules/rule.ts';
import type { FakeResponse } from './fake-response.ts';
import { changeOf, openTestHub } from './test-hub.ts';
import type { TestHub } from './test-hub.ts';

/** Tasks, which those may read of whose project a condition is met. */
export const following = (condition: object, revision = 1): Collection =>
  ({
    ...parseDefinition({
      schema: { properties: { project: { type: 'string' } } },
      fields: { project: { reference: { collection: 'col_p' } } },
      rules: { read: [{ project: { $follow: condition } }] },
    }),
    ...{ id: 'col_a', name: 'tasks', revision, def: 1, removing: false, pending: undefined },
  }) as unknown as Collection;

/** Tasks, which the members of their project may read. */
export const shared = following({ members: { $auth: 'sub' } });

/** Who opens the feeds of a {@link FollowingHub}. */
export const ada: Caller = { signedIn: true, administrator: false, auth: { sub: 'usr_ada' } };

/** A change of a project's members. */
export const memberOf = (
  id: string,
  seconds: number,
  members: readonly string[],
  were: readonly string[] = [],
): Change => ({
  ...changeOf(id, seconds, { before: { members: were }, after: { members } }),
  collection: 'records_col_p',
});

/** A new task of a project. */
export const taskOf = (id: string, seconds: number, project: string): Change =>
  changeOf(id, seconds, { after: { project } });

/** What a feed has been told: each event, and the record or the reason. */
export const toldTo = ({ blocks }: FakeResponse): string[] =>
  blocks().flatMap(({ event, data = '{}' }) => {
    if (event === undefined) return [];
    const { reason, record } = JSON.parse(data) as { reason?: string; record?: { id: string } };
    return [`${event} ${reason ?? record?.id ?? ''}`];
  });

/** Somebody looks where references lead, and waits for the test. */
export interface TestLook {
  readonly asOf: Timestamp | undefined;
  readonly settle: (...ids: string[]) => Promise<void>;
  readonly refuse: (error: Error) => void;
}

/** A hub whose looks are answered by the test. */
export interface FollowingHub extends Omit<TestHub, 'follow'> {
  readonly looks: readonly TestLook[];
  /** Opens a feed, of Ada's where nobody is named, by the time that somebody looks for it. */
  follow(caller?: Caller, resumed?: FeedBeginning['resumed']): Promise<FakeResponse & { readonly feed: Feed }>;
  define(collection: Collection): void;
}

/** Makes it. */
export function openFollowingHub(options: Partial<FeedHubOptions> = {}, collection = shared): FollowingHub {
  const looks: TestLook[] = [];
  let redefine: ((id: string, collection: Collection | undefined) => void) | undefined;
  const hub = openTestHub({
    ...options,
    registry: {
      get: () => collection,
      knownAsOf: () => undefined,
      onChange: (listener) => {
        redefine = listener;
        return () => undefined;
      },
    },
    look: ({ follows }, caller, asOf) => {
      const { promise, resolve, reject } = Promise.withResolvers<Looked>();
      looks.push({
        asOf,
        settle: async (...ids) => {
          const followed = new Map(follows.read.map(({ operand }) => [operand, ids]));
          resolve({ caller: { ...caller, followed }, asOf });
          await nextTurn();
        },
        refuse: reject,
      });
      return promise;
    },
  });
  return {
    ...hub,
    looks,
    async follow(caller = ada, resumed) {
      const feed = hub.follow(undefined, { caller, collection, resumed });
      await nextTurn();
      return feed;
    },
    define: (next) => redefine?.('col_a', next),
  };
}
