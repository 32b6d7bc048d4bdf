import assert from 'node:assert/strict';
import type { Timestamp } from 'mongodb';
import { foldFeed, positionOf } from '../../../services/data/src/testing/fold-feed.ts';
import type { FeedBlock } from '../harness/event-stream.ts';
import type { Fields, HistoricChange } from './collection-history.ts';
import { type HeardConnection, type ResumingFeed, startResumingFeed } from './resuming-feed.ts';
import { type RightsHistory, rightsOverTime, type RightsOverTime } from './rights-over-time.ts';

/** Who follows a collection, how, and what of it. */
export interface RightsSubscription {
  readonly name: string;
  readonly id: string;
  /** The token to connect with; null stays away. */
  readonly token: () => string | null;
  readonly atLeast?: number;
  readonly snapshot: boolean;
  readonly over?: 'socket';
}

/** Somebody who follows a collection, whatever happens, and whatever becomes of their rights. */
export interface RightsSubscriber {
  readonly name: string;
  readonly feed: ResumingFeed;
  readonly subscription: RightsSubscription;
  /** Whether a record has been told of, in what is whole. */
  readonly hasHeardOf: (recordId: string) => boolean;
  /** What is held now, by who began with a snapshot: revisions by record. */
  readonly held: () => ReadonlyMap<string, number>;
  /**
   * Holds what was told against the history: at each cursor exactly what the query finds as of then, and never anything that the rights of the
   * event do not show.
   *
   * @returns how many cursors there were, and how many changes of rights were told
   */
  readonly assertViews: (history: RightsHistory) => { readonly views: number; readonly gaps: number };
}

interface Told {
  readonly record?: Fields & { readonly id: string };
  readonly id?: string;
  readonly revision: number;
  readonly previous?: Fields;
  readonly reason?: string;
}

const told = ({ data }: FeedBlock): Told => JSON.parse(data ?? '{}') as Told;
const changeEvents: ReadonlySet<string> = new Set(['created', 'updated', 'deleted', 'entered', 'left']);
const asked = ['status', 'author', 'n', 'project', 'secret'] as const;
const fieldsOf = (fields: Fields): Fields =>
  Object.fromEntries(asked.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
const sorted = (map: ReadonlyMap<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const shownAs = ({ t, i }: Timestamp): string => `${t}.${i}`;

/** Whether somebody is an administrator by a token. */
function isAdministratorBy(token: string | undefined): boolean {
  const payload = Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { roles: string[] }).roles.includes('admin');
}

/** What follows one gap, up to the next; who is sent no snapshot asks for what there is at each. */
function piecesOf(blocks: readonly FeedBlock[]): { readonly gap?: FeedBlock; readonly blocks: FeedBlock[] }[] {
  const pieces: { readonly gap?: FeedBlock; readonly blocks: FeedBlock[] }[] = [{ blocks: [] }];
  for (const block of blocks) {
    if (block.event === 'gap' && block.id !== undefined) pieces.push({ gap: block, blocks: [] });
    else pieces.at(-1)?.blocks.push(block);
  }
  return pieces;
}

/** Fails where a block tells what the rights of then do not show. */
function assertShown(
  name: string,
  { token, blocks }: HeardConnection,
  records: ReadonlyMap<string, readonly HistoricChange[]>,
  rights: RightsOverTime,
): void {
  const isAdministrator = isAdministratorBy(token);
  const place = (at: number): string | undefined => blocks.slice(at).find(({ id }) => id !== undefined)?.id;
  for (const [index, block] of blocks.entries()) {
    const { event = '' } = block;
    if (event !== 'current' && !changeEvents.has(event)) continue;
    const { record, id = record?.id ?? '', revision, previous } = told(block);
    const about = `${event} ${id} ${revision}, as ${name} was told`;
    const change = records.get(id)?.[revision - 1] ?? assert.fail(`${about}, was never committed`);
    const before = records.get(id)?.[revision - 2];
    // A snapshot that was not sent to its end does not say of when it is.
    const ready = event === 'current' ? place(index) : undefined;
    if (event === 'current' && ready === undefined) continue;
    const time = ready === undefined ? change.time : positionOf(ready);
    const assertSight = (fields: Fields | undefined, shown: Fields): void => {
      const sight = rights.look(fields ?? {}, time, isAdministrator);
      assert.deepEqual(fieldsOf(shown), fieldsOf(sight.shown), `${about} at ${shownAs(time)}`);
    };
    if (record !== undefined) {
      assert.ok(rights.look(change.fields ?? {}, time, isAdministrator).isSeen, `${about} at ${shownAs(time)}, unseen`);
      assertSight(change.fields, record);
    }
    if (previous !== undefined) assertSight(before?.fields, previous);
  }
}

/** Begins to follow. */
export async function startRightsSubscriber(
  collection: string,
  subscription: RightsSubscription,
  at: () => string | undefined,
): Promise<RightsSubscriber> {
  const { name, id, token, atLeast = 0, snapshot, over } = subscription;
  const filter = atLeast === 0 ? undefined : { n: { $gte: atLeast } };
  const feed = await startResumingFeed(collection, { token, filter, snapshot, over, at });
  const isAskedFor = ({ n }: Fields): boolean => atLeast === 0 || Number(n) >= atLeast;

  const fold = (connection: readonly FeedBlock[], held: ReadonlyMap<string, number> | undefined) => {
    try {
      return foldFeed(connection, held);
    } catch (error) {
      throw new Error(`what ${name} was told does not follow`, { cause: error });
    }
  };

  return {
    name,
    feed,
    subscription,
    hasHeardOf: (recordId) => feed.told().some((block) => told(block).record?.id === recordId),
    held: () => fold(feed.told(), undefined).at(-1)?.revisions ?? new Map(),
    assertViews(history) {
      const rights = rightsOverTime(history, id, isAskedFor);
      const records = Map.groupBy(history.records, ({ recordId }) => recordId);
      let held: ReadonlyMap<string, number> | undefined;
      let [views, gaps] = [0, 0];
      for (const connection of feed.heard()) {
        const isAdministrator = isAdministratorBy(connection.token);
        assertShown(name, connection, records, rights);
        for (const { gap, blocks } of piecesOf(connection.whole)) {
          for (const block of [gap, ...blocks]) {
            if (block?.event !== 'gap') continue;
            assert.equal(told(block).reason, 'rights', `${name} was told that something is missing`);
            gaps += 1;
          }
          const begun = gap?.id ?? blocks.find((block) => block.id !== undefined)?.id;
          if (begun === undefined) continue;
          // Who does not begin with the result has asked for it just then.
          if (!snapshot && (held === undefined || gap !== undefined))
            held = rights.found(positionOf(begun), isAdministrator);
          for (const { time, revisions } of fold(blocks, held)) {
            const what = `what ${name} holds at ${shownAs(time)}`;
            assert.deepEqual(sorted(revisions), sorted(rights.found(time, isAdministrator)), what);
            held = revisions;
            views += 1;
          }
        }
      }
      return { views, gaps };
    },
  };
}
