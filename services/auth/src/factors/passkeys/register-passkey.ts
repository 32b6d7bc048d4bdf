import { faults, newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { DuplicateKey } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import { generateRegistrationOptions, verifyRegistrationResponse } from '@simplewebauthn/server';
import type { ClientSession } from 'mongodb';

import type { AccountQueries } from '../../accounts/account.model.ts';
import type { Tickets } from '../../tickets/tickets.ts';
import type { Caller } from '../caller.ts';
import type { FactorDocument, FactorQueries, Passkey } from '../factor.model.ts';
import { factorExists, factorLimit, passkeyInvalid } from '../factors.errors.ts';
import { added } from '../factors.events.ts';
import type { EnsureRecoveryCodes } from '../keep-recovery-codes.ts';
import type { NoteFactors } from '../note-factors.ts';
import type { OfferUndo } from '../offer-undo.ts';
import type { RegistrationAnswer } from './passkey-bodies.ts';
import type { RelyingParty } from './relying-party.ts';

/** What registering a passkey is given. */
export interface RegisterPasskeyDependencies {
  readonly accountQueries: Pick<AccountQueries, 'byId'>;
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'create' | 'native'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf'>;
  readonly tickets: Pick<Tickets, 'begin' | 'take'>;
  readonly transaction: <T>(work: (session: ClientSession) => Promise<T>) => Promise<T>;
  readonly relyingParty: RelyingParty;
  /** What an authenticator knows an account by: it says nothing of it. */
  readonly userHandleOf: (accountId: string) => Uint8Array<ArrayBuffer>;
  readonly noteFactors: NoteFactors;
  readonly ensureRecoveryCodes: EnsureRecoveryCodes;
  readonly offerUndo: OfferUndo;
}

/** Nobody has more keys than that. */
const mostPasskeys = 10;

/** EdDSA, ES256, RS256 (COSE): what authenticators have. */
export const passkeyAlgorithms = [-8, -7, -257];

/**
 * Begins to register a passkey.
 *
 * @returns the use case, which gives what to ask the authenticator; it throws fault `unauthenticated` where the account is gone
 */
export const createBeginPasskey =
  ({ accountQueries, factorQueries, tickets, relyingParty, userHandleOf }: RegisterPasskeyDependencies) =>
  async (accountId: string) => {
    const account = await accountQueries.byId(accountId);
    if (account === undefined) throw faults.unauthenticated({ message: 'the account of this token is gone' });
    const known = (await factorQueries.activeOf(accountId)).flatMap(({ passkey }) => passkey ?? []);
    const options = await generateRegistrationOptions({
      ...{ rpName: relyingParty.name, rpID: relyingParty.id },
      ...{ userName: account.email, userDisplayName: account.email, userID: userHandleOf(accountId) },
      attestationType: 'none',
      excludeCredentials: known.map(({ credentialId: id, transports }) => ({
        id,
        ...(transports !== undefined && { transports: [...transports] }),
      })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: passkeyAlgorithms,
    });
    const { challenge } = options;
    return { ticket: await tickets.begin({ purpose: 'register-passkey', accountId, challenge }), options };
  };

/** Who registers it, and what the authenticator has answered. */
export interface RegisterPasskeyCommand extends Caller {
  readonly ticket: string;
  readonly response: RegistrationAnswer;
  readonly name: string;
}

/**
 * Registers a passkey: from now on it signs in by itself, and a password asks for it. With the first second factor come recovery codes.
 *
 * @returns the use case; it throws faults `passkey-invalid`, `factor-exists`, `factor-limit`, `too-many-factors`, `unauthenticated` where the
 *   caller's session is over by the time it is kept, and `not-found` where the account is gone
 */
export const createRegisterPasskey = (given: RegisterPasskeyDependencies) => {
  const verify = async ({ accountId, ticket, response }: RegisterPasskeyCommand): Promise<Passkey> => {
    // Used up whatever comes of it: a challenge is answered once.
    const ceremony = await given.tickets.take('register-passkey', ticket);
    if (ceremony?.accountId !== accountId) throw passkeyInvalid();
    const { id: expectedRPID, origins } = given.relyingParty;
    const { transports } = response.response;
    const verified = await verifyRegistrationResponse({
      response: {
        ...{ id: response.id, rawId: response.rawId, type: response.type, clientExtensionResults: {} },
        response: {
          clientDataJSON: response.response.clientDataJSON,
          attestationObject: response.response.attestationObject,
        },
      },
      ...{ expectedChallenge: ceremony.challenge, expectedOrigin: [...origins], expectedRPID },
      ...{ requireUserVerification: true, supportedAlgorithmIDs: passkeyAlgorithms },
      // It throws what is wrong, which is told to nobody.
    }).catch((error: unknown) => {
      throw passkeyInvalid({ cause: error });
    });
    if (!verified.verified) throw passkeyInvalid();
    const { credential, aaguid, credentialDeviceType: deviceType, credentialBackedUp } = verified.registrationInfo;
    return {
      credentialId: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      ...(transports !== undefined && { transports }),
      ...{ deviceType, backedUp: credentialBackedUp, aaguid },
    };
  };

  const keep = async (cause: Cause, passkey: Passkey, command: RegisterPasskeyCommand, session: ClientSession) => {
    const { accountId, sessionId, name } = command;
    // First the account: those who register at once meet here, and are counted one after the other.
    const { account, event: noted, deviceToken } = await given.noteFactors(cause, command, session);
    const active = await given.factors.native.find({ accountId, status: 'active' }, { session }).toArray();
    if (active.filter(({ kind }) => kind === 'passkey').length >= mostPasskeys) throw factorLimit();
    const _id = newId('fac');
    const state = { accountId, kind: 'passkey', status: 'active', name, passkey } as const;
    const creation = { _id, state, event: added({ _id, ...state }, sessionId) };
    const { document, event } = await given.factors.create(cause, creation, { session });
    const made = await given.ensureRecoveryCodes(cause, { accountId, sessionId, cameWith: _id }, session);
    const offered = await given.offerUndo(cause, { factor: document, before: active, account, sessionId }, session);
    const events = [noted, event.id, made?.event, offered].filter((id) => id !== undefined);
    return { factor: document, recoveryCodes: made?.codes, deviceToken, events };
  };

  return async (cause: Cause, command: RegisterPasskeyCommand) => {
    const passkey = await verify(command);
    try {
      return await given.transaction((session) => keep(cause, passkey, command, session));
    } catch (error) {
      if (error instanceof DuplicateKey && 'passkey.credentialId' in error.keyPattern) {
        throw factorExists({ cause: error });
      }
      throw error;
    }
  };
};
