import type { Cause } from '@causeway/contracts';
import { stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import { generateAuthenticationOptions, verifyAuthenticationResponse } from '@simplewebauthn/server';

import type { Tickets } from '../../tickets/tickets.ts';
import type { FactorDocument, FactorQueries, Passkey } from '../factor.model.ts';
import { passkeyInvalid } from '../factors.errors.ts';
import { updated, used } from '../factors.events.ts';
import type { TakeProof } from '../second-proof.ts';
import type { PasskeyAnswer } from './passkey-bodies.ts';
import { isCopied } from './passkey-counter.ts';
import type { RelyingParty } from './relying-party.ts';

/** What using a passkey is given. */
export interface UsePasskeyDependencies {
  readonly factors: Pick<RecordedCollection<FactorDocument>, 'update'>;
  readonly factorQueries: Pick<FactorQueries, 'activeOf' | 'byCredential'>;
  readonly tickets: Pick<Tickets, 'begin' | 'take'>;
  readonly relyingParty: RelyingParty;
  readonly userHandleOf: (accountId: string) => Uint8Array<ArrayBuffer>;
  readonly now: () => Date;
}

/** What a browser is to ask an authenticator, and the ticket that goes back with its answer. */
export interface AskedPasskey {
  readonly ticket: string;
  readonly options: Awaited<ReturnType<typeof generateAuthenticationOptions>>;
}

/**
 * Begins to use a passkey.
 *
 * @param accountId - whose passkeys are asked for; undefined: any, and nothing is told of who has one
 */
export type AskForPasskey = (accountId?: string) => Promise<AskedPasskey>;

/** @returns the use case */
export const createAskForPasskey =
  ({ factorQueries, tickets, relyingParty }: UsePasskeyDependencies): AskForPasskey =>
  async (accountId) => {
    const own = accountId === undefined ? [] : await factorQueries.activeOf(accountId);
    const options = await generateAuthenticationOptions({
      ...{ rpID: relyingParty.id, userVerification: 'required' },
      allowCredentials: own
        .flatMap(({ passkey }) => passkey ?? [])
        .map(({ credentialId: id, transports }) => ({
          id,
          ...(transports !== undefined && { transports: [...transports] }),
        })),
    });
    const { challenge } = options;
    return { ticket: await tickets.begin({ purpose: 'use-passkey', accountId, challenge }), options };
  };

/** A passkey whose signature is right. */
export interface OpenedPasskey {
  readonly accountId: string;
  readonly take: TakeProof;
}

/**
 * Looks at what an authenticator has answered. The challenge is used up whatever comes of it.
 *
 * @param accountId - whose passkey it has to be; undefined: as the challenge was made for nobody in particular
 * @throws fault `passkey-invalid`
 */
export type OpenPasskey = (cause: Cause, answer: PasskeyAnswer, accountId?: string) => Promise<OpenedPasskey>;

type PasskeyFactor = FactorDocument & { readonly passkey: Passkey };

const isPasskey = (factor: FactorDocument | undefined): factor is PasskeyFactor => factor?.passkey !== undefined;

/** @returns the use case */
export const createOpenPasskey = (given: UsePasskeyDependencies): OpenPasskey => {
  const { factors, factorQueries, tickets, relyingParty, userHandleOf, now } = given;

  /** @returns the counter that the authenticator tells */
  const verify = async ({ accountId, passkey }: PasskeyFactor, { response }: PasskeyAnswer, challenge: string) => {
    const { clientDataJSON, authenticatorData, signature, userHandle } = response.response;
    const isTheirs = userHandle == null || userHandle === Buffer.from(userHandleOf(accountId)).toString('base64url');
    if (!isTheirs) throw passkeyInvalid();
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...{ id: response.id, rawId: response.rawId, type: response.type, clientExtensionResults: {} },
        response: { clientDataJSON, authenticatorData, signature },
      },
      ...{ expectedChallenge: challenge, expectedOrigin: [...relyingParty.origins], expectedRPID: relyingParty.id },
      requireUserVerification: true,
      // How it counts is looked at after its signature: what nobody has signed says nothing of a copy.
      credential: { id: passkey.credentialId, publicKey: Buffer.from(passkey.publicKey, 'base64url'), counter: 0 },
      // It throws what is wrong, which is told to nobody.
    }).catch((error: unknown) => {
      throw passkeyInvalid({ cause: error });
    });
    if (!verified) throw passkeyInvalid();
    return authenticationInfo.newCounter;
  };

  /** There are two of it, and one is a thief's: the audit, which its owner sees too, is told, and this use is refused. */
  const refuseCopy = async (cause: Cause, { _id }: PasskeyFactor): Promise<never> => {
    await factors.update(cause, _id, (current) => ({
      state: { ...stateOf(current), suspectedAt: now() },
      event: updated(current, ['suspected']),
    }));
    throw passkeyInvalid();
  };

  return async (cause, answer, accountId) => {
    const ceremony = await tickets.take('use-passkey', answer.ticket);
    if (ceremony === undefined || ceremony.accountId !== accountId) throw passkeyInvalid();
    const factor = await factorQueries.byCredential(answer.response.id);
    if (!isPasskey(factor) || (accountId !== undefined && factor.accountId !== accountId)) throw passkeyInvalid();
    const counter = await verify(factor, answer, ceremony.challenge);
    if (isCopied(factor.passkey, counter)) return refuseCopy(cause, factor);

    const { deviceType } = factor.passkey;
    const take: TakeProof = async (own, session) => {
      const write = await factors.update(
        own,
        factor._id,
        (current) => {
          // Two uses at once meet here: of an authenticator that counts, the later one goes on.
          if (!isPasskey(current) || isCopied(current.passkey, counter)) throw passkeyInvalid();
          const passkey = { ...current.passkey, counter };
          return { state: { ...stateOf(current), passkey, lastUsedAt: now() }, event: used(current) };
        },
        { session },
      );
      if (write?.event === undefined) throw passkeyInvalid();
      return { amr: [deviceType === 'singleDevice' ? 'hwk' : 'swk', 'user'], event: write.event.id };
    };
    return { accountId: factor.accountId, take };
  };
};
