import { createHmac } from 'node:crypto';

import type { Ground } from '../../feature.ts';
import type { DeviceCookie } from '../../guessing/device-cookie.ts';
import { stepUpRules } from '../../sessions/step-up-rules.ts';
import type { Ticketing } from '../../tickets/tickets.wiring.ts';
import type { EnsureRecoveryCodes } from '../keep-recovery-codes.ts';
import type { NoteFactors } from '../note-factors.ts';
import type { OfferUndo } from '../offer-undo.ts';
import { passkeyOptionsRoute, registerPasskeyRoute } from './passkeys.route.ts';
import { createBeginPasskey, createRegisterPasskey } from './register-passkey.ts';
import { relyingPartyOf } from './relying-party.ts';
import { createAskForPasskey, createOpenPasskey } from './use-passkey.ts';

type PasskeysGround = Pick<
  Ground,
  'config' | 'events' | 'accounts' | 'accountQueries' | 'factors' | 'factorQueries' | 'masterKey' | 'now'
>;

/** Passkeys: registered, and used. A part of the factors. */
export function createPasskeys(
  ground: PasskeysGround,
  others: {
    readonly ticketing: Pick<Ticketing, 'tickets'>;
    readonly noteFactors: NoteFactors;
    readonly ensureRecoveryCodes: EnsureRecoveryCodes;
    readonly offerUndo: OfferUndo;
    readonly deviceCookie: DeviceCookie;
  },
) {
  const { config, masterKey, events } = ground;
  const secret = masterKey.derive('passkey-user');
  const userHandleOf = (accountId: string) => Uint8Array.from(createHmac('sha256', secret).update(accountId).digest());
  const { noteFactors, ensureRecoveryCodes, offerUndo, deviceCookie } = others;
  const { tickets } = others.ticketing;
  const shared = { ...ground, tickets, userHandleOf, relyingParty: relyingPartyOf(config) };
  const registering = { ...shared, noteFactors, ensureRecoveryCodes, offerUndo, transaction: events.transaction };
  const { recent } = stepUpRules(config);
  return {
    askForPasskey: createAskForPasskey(shared),
    openPasskey: createOpenPasskey(shared),
    routes: [
      passkeyOptionsRoute({ beginPasskey: createBeginPasskey(registering), recent }),
      registerPasskeyRoute({ registerPasskey: createRegisterPasskey(registering), deviceCookie, recent }),
    ],
  };
}
