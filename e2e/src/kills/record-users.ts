import type { Random } from '../../../services/data/src/conditions/testing/random.ts';
import type { StoredRecord } from '../harness/collections.ts';
import { gone, type SeenRecords } from './seen-records.ts';

/** What somebody does once, with what they have seen. */
export type Step = (seen: SeenRecords, choose: Choices) => Promise<void>;

/** What a seed decides. */
export interface Choices {
  readonly random: Random;
  /** Two gateways, each before a data service of its own; undefined is the platform's. */
  readonly gateways: readonly [string | undefined, string | undefined];
}

/** People who use records with a number `n`, of which there are always as many. */
export interface RecordUsers {
  /** Reads all of them at once, each by itself, and then their list. */
  readonly reads: Step;
  /** Changes one that both data services have just read, and reads it back: first by the one that has not written it. */
  readonly writes: Step;
  /** Takes one away, sees that it has gone, and puts another one in its place. */
  readonly replaces: Step;
}

/**
 * @param collection - its name
 * @param ids - of the records that are there
 */
export function createRecordUsers(collection: string, ids: string[]): RecordUsers {
  return {
    async reads(seen, { random, gateways }) {
      const at = random.pick(gateways);
      await Promise.all(ids.map((id) => seen.read(id, at)));
      await seen.list(random.pick(gateways));
    },
    async writes(seen, { random, gateways }) {
      const id = random.pick(ids);
      const [at, other] = random.chance(50) ? gateways : gateways.toReversed();
      await seen.read(id, other);
      await seen.read(id, at);
      const change = { json: { n: random.below(1_000_000) }, type: 'application/merge-patch+json' };
      const answer = await seen.send('PATCH', `/v1/data/${collection}/${id}`, { at, ...change });
      if (answer?.status === 200) seen.note(id, answer.json<StoredRecord>().revision, 'a write of their own');
      await seen.read(id, other);
      await seen.read(id, at);
    },
    async replaces(seen, { random, gateways }) {
      const id = random.pick(ids);
      const answer = await seen.send('DELETE', `/v1/data/${collection}/${id}`, { at: random.pick(gateways) });
      if (answer?.status === 204) seen.note(id, gone, 'a delete of their own');
      await seen.read(id, random.pick(gateways));
      // Where nobody knows whether it has gone, another one beside it would be one too many.
      if (answer?.status !== 204 && answer?.status !== 404) return;
      const made = await seen.send('POST', `/v1/data/${collection}`, { at: random.pick(gateways), json: { n: 0 } });
      if (made?.status === 201) ids.splice(ids.indexOf(id), 1, made.json<StoredRecord>().id);
    },
  };
}
