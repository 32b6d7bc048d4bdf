import type { ReadAfterOptions } from '@causeway/events';
import type { MongoClient } from 'mongodb';

import type { ExpandedStep } from './expanded-step.ts';
import type { Expansion } from './expansion.ts';
import type { ReadExpanded, Referring } from './read-expanded.ts';
import { readExpanded } from './read-expanded.ts';
import { createShowExpanded } from './show-expanded.ts';

/** A record, and as it is answered. */
export interface ExpandedItem {
  readonly row: Referring;
  readonly text: string;
}

/**
 * Shows records together with those that they refer to.
 *
 * @param items - each as its caller sees it
 * @returns JSON, one for each
 * @throws Fault `query-too-costly`, `query-too-slow`, `rule-too-costly`
 */
export async function expandItems(
  expansions: readonly Expansion[],
  items: readonly ExpandedItem[],
  reading: ReadExpanded,
): Promise<{ readonly texts: readonly string[]; readonly steps: ExpandedStep[] }> {
  const expanded = await readExpanded(
    expansions,
    items.map(({ row }) => row),
    reading,
  );
  const show = createShowExpanded(expansions, expanded);
  return { texts: items.map(({ row, text }) => show(row, text)), steps: expanded.steps };
}

/**
 * Reads several things of which none is older than those before it, whoever is the primary by then: in one causally consistent session.
 *
 * @param read - of `readAfter`: its own session serves, where there is one
 */
export async function readInTurn<T>(
  client: MongoClient,
  read: ReadAfterOptions,
  work: (read: ReadAfterOptions) => Promise<T>,
): Promise<T> {
  if (read.session !== undefined) return work(read);
  return client.withSession({ causalConsistency: true }, (session) =>
    work({ session, readConcern: { level: 'majority' } }),
  );
}
