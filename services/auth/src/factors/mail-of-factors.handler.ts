import { factorRemoved, factorUpdated, proofUsed } from '@causeway/contracts';
import { onEvent } from '@causeway/events';
import type { Handler, RecordedCollection } from '@causeway/events';

import type { TellOwner } from '../mail/tell-owner.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import type { SessionDocument } from '../sessions/session.model.ts';
import { deviceOfSession } from './device-of-session.ts';
import { factorInWords } from './factor-words.ts';

/** What {@link mailsOfFactors} are given, once they run. */
export interface MailOfFactorsDependencies {
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'native'>;
  readonly tellOwner: TellOwner;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
}

/** Whoever has a copy of a passkey may try it as often as they please: its owner is told once in so long. */
const suspicionRate = { most: 1, withinMs: 24 * 3_600_000, words: 'more than once within a day' };

/**
 * Whose second factor was removed, taken back or copied, or whose recovery codes were made anew, is told so; of one that was added they are told
 * by the mail of the link that takes it back.
 */
export const mailsOfFactors = (late: () => MailOfFactorsDependencies): Handler[] => {
  const tellOwner: TellOwner = (...notice) => late().tellOwner(...notice);
  const page = (name: string): string => `${late().publicUrl}/account/${name}`;

  return [
    onEvent.transaction({
      name: 'mail-of-removed-factor',
      on: [factorRemoved],
      async handle({ data: { accountId, kind, reason, sessionId }, time }, { cause, session }) {
        // Recovery codes go with the last second factor, and by themselves never.
        if (reason !== 'owner' || kind === 'recovery-codes') return;
        const device = await deviceOfSession(late().sessions, sessionId, session);
        const what = { factor: factorInWords(kind), removedAt: timeInWords(time), device };
        const params = { ...what, securityPage: page('security'), resetPage: page('reset') };
        // Passkeys can be added by the dozen, and removed: that does not hide that the app is gone.
        await tellOwner(cause, accountId, { template: 'factor-removed', params, apart: 'factor' }, session);
      },
    }),
    onEvent.transaction({
      name: 'mail-of-factor',
      on: [factorUpdated],
      async handle({ data: { accountId, changed = [], cameWith, sessionId }, time }, { cause, session }) {
        const at = timeInWords(time);
        if (changed.includes('suspected')) {
          const params = { refusedAt: at, securityPage: page('security') };
          await tellOwner(cause, accountId, { template: 'passkey-suspected', params }, session, suspicionRate);
        }
        // Those that come with a factor are told of with it.
        if (!changed.includes('codes') || cameWith !== undefined) return;
        const device = await deviceOfSession(late().sessions, sessionId, session);
        const pages = { codesPage: page('recovery-codes'), resetPage: page('reset') };
        const params = { renewedAt: at, device, ...pages };
        await tellOwner(cause, accountId, { template: 'recovery-codes-renewed', params }, session);
      },
    }),
    onEvent.transaction({
      name: 'mail-of-undone-factor',
      on: [proofUsed],
      async handle({ data: { accountId, kind }, time }, { cause, session }) {
        if (kind !== 'undo-factor' || accountId === undefined) return;
        const params = { undoneAt: timeInWords(time), securityPage: page('security') };
        await tellOwner(cause, accountId, { template: 'factor-undone', params }, session);
      },
    }),
  ];
};
