import { createHmac, createSecretKey } from 'node:crypto';

import type { Cause } from '@causeway/contracts';
import { addressBlock } from '@causeway/service';

import type { KnownDevices } from '../guessing/known-devices.ts';
import type { WindowCounter } from '../guessing/window-counter.ts';
import type { ProofRequest } from './open-proof.ts';
import { tooManyLinks } from './proofs.errors.ts';
import type { RequestProof } from './request-proof.ts';

/** Which link, to whom, and who asks. */
export interface LinkAsked extends ProofRequest {
  /** The caller's address. */
  readonly ip: string;
  /** That their device sent, as a sign-in from there gave it. */
  readonly deviceToken?: string | undefined;
}

/**
 * Has a link mailed because somebody asks for it. Whoever asks for many is refused by where they ask from, before anything is looked at:
 * whatever address they give, they are answered alike. Devices that have been signed in from with an address are counted apart from strangers.
 *
 * @returns ids of the events that were recorded; none where the address has had its links
 * @throws fault `too-many-links`
 */
export type AskForLink = (cause: Cause, asked: LinkAsked) => Promise<readonly string[]>;

/**
 * Counts whoever asks for links by where they ask from, before anything is looked at.
 *
 * @param ip - the caller's address; nothing is counted where that is not known
 * @throws fault `too-many-links`
 */
export type AdmitAsker = (ip: string | undefined) => Promise<void>;

/** What {@link createAdmitAsker} is given. */
export interface AdmitAskerDependencies {
  readonly blocks: WindowCounter;
  /** 32 bytes, the same in every replica: who asks is counted under names that say nothing. */
  readonly secret: Uint8Array;
}

/** Makes it. */
export function createAdmitAsker({ blocks, secret }: AdmitAskerDependencies): AdmitAsker {
  const key = createSecretKey(secret);
  const nameOf = (ip: string): string =>
    createHmac('sha256', key).update(addressBlock(ip)).digest().toString('base64url', 0, 16);
  return async (ip) => {
    const waitMs = ip === undefined ? 0 : await blocks.take(nameOf(ip));
    if (waitMs > 0) throw tooManyLinks({ retryAfterS: Math.ceil(waitMs / 1000) });
  };
}

/** What {@link createAskForLink} is given. */
export interface AskForLinkDependencies {
  readonly requestProof: RequestProof;
  readonly admitAsker: AdmitAsker;
  readonly knownDevices: Pick<KnownDevices, 'find'>;
}

/** Makes it. */
export const createAskForLink =
  ({ requestProof, admitAsker, knownDevices }: AskForLinkDependencies): AskForLink =>
  async (cause, { ip, deviceToken, ...request }) => {
    await admitAsker(ip);
    const isKnownDevice = (await knownDevices.find(deviceToken, request.email.key)) !== undefined;
    return requestProof(cause, { ...request, isKnownDevice });
  };
