import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { knownDeviceInWords } from '../sessions/device-words.ts';
import type { SessionDocument } from '../sessions/session.model.ts';

/**
 * What a mail calls the device of a session. Only of what it knows: whoever signs in says what they please of their program.
 *
 * @param sessionId - undefined where nobody has said
 * @param session - of the transaction
 */
export const deviceOfSession = async (
  sessions: Pick<RecordedCollection<SessionDocument>, 'native'>,
  sessionId: string | undefined,
  session: ClientSession,
): Promise<string> => {
  const projection = { userAgent: 1 } as const;
  const row =
    sessionId === undefined ? null : await sessions.native.findOne({ _id: sessionId }, { session, projection });
  return knownDeviceInWords(row?.userAgent) ?? 'a device that we cannot tell';
};
