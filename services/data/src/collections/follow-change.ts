import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { Db } from 'mongodb';

import type { Definition, LastChange } from './collection.model.ts';
import { readChange } from './definition-lock.ts';

const lookEveryMs = 250;

/** What tells a definition from others. */
export const wantedBy = (definition: Definition): string =>
  createHash('sha256').update(JSON.stringify(definition)).digest('base64url');

/**
 * Waits for the end of a change that somebody else has begun: at this replica or another. Where that is gone, its lock ends the wait.
 *
 * @param owner - of the change
 * @param patience - ends the wait, which rejects then
 * @returns how it has ended; undefined where nobody has said so
 */
export async function followChange(
  db: Db,
  id: string,
  owner: string,
  patience?: AbortSignal,
): Promise<LastChange | undefined> {
  for (;;) {
    const row = await readChange(db, id);
    if (row?.owner !== owner) return row?.last?.owner === owner ? row.last : undefined;
    await delay(lookEveryMs * (0.75 + Math.random() / 2), undefined, patience && { signal: patience });
  }
}
