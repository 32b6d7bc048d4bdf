import { faults } from '@causeway/contracts';
import type { Vault } from '@causeway/service';

import type { AccountPlace, AccountQuestion } from './account-search.ts';

/** Cursors of lists of accounts: each good for the question that it was answered to, and for no other. */
export interface AccountCursors {
  /** Sealed: where a page ends is somebody's address. */
  seal(question: AccountQuestion, place: AccountPlace): string;
  /** @throws fault `invalid-request` where it is none of ours, or of another question */
  open(question: AccountQuestion, cursor: string): AccountPlace;
}

const textOf = ({ search, status, role }: AccountQuestion): string =>
  JSON.stringify([search ?? null, status ?? null, role ?? null]);

/** @param vault - the same in every replica */
export const createAccountCursors = (vault: Vault): AccountCursors => ({
  seal: (question, place) =>
    Buffer.from(vault.seal(JSON.stringify(place), textOf(question)), 'base64').toString('base64url'),
  open(question, cursor) {
    try {
      return JSON.parse(vault.open(cursor, textOf(question))) as AccountPlace;
    } catch (cause) {
      const message = 'Send a cursor as it was answered, with the query that it was answered to.';
      throw faults.invalidRequest({ errors: [{ parameter: 'cursor', code: 'invalid-cursor', message }], cause });
    }
  },
});
