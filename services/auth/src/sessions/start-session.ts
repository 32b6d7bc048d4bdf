import { randomBytes } from 'node:crypto';

import { newId } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { RecordedCollection, RecordedWrite, WriteOptions } from '@causeway/events';

import type { Account } from '../accounts/account.model.ts';
import { hashRefreshToken } from '../tokens/refresh-token.ts';
import type { RefreshTokens } from '../tokens/refresh-token.ts';
import { assuranceOf } from './authentication.ts';
import type { Delivery, SessionDocument } from './session.model.ts';
import { sessionExpiry } from './session-rules.ts';
import type { SessionLifetimes } from './session-rules.ts';
import { started } from './sessions.events.ts';

/** Where somebody signs in from, as they will see it in the list of their sessions. */
export interface Device {
  readonly ip?: string;
  readonly userAgent?: string;
  /** Of a client that the account has known before. */
  readonly deviceId?: string;
}

/** What {@link createStartSession} is given. */
export interface StartSessionDependencies {
  readonly sessions: Pick<RecordedCollection<SessionDocument>, 'create'>;
  readonly refreshTokens: RefreshTokens;
  readonly lifetimes: SessionLifetimes;
  readonly now: () => Date;
}

/** Who signs in, how, and from where. */
export interface StartSessionCommand {
  /** As it was when the proof was looked at: where it has changed meanwhile, the session is over at once. */
  readonly account: Pick<Account, '_id' | 'accessVersion'>;
  /** How it begins: `sign-up`, `password`, … */
  readonly method: string;
  /** How they have proved it: `authentication.ts` lists the methods. */
  readonly amr: readonly string[];
  readonly device: Device;
  readonly delivery?: Delivery;
}

/** Begins a session; alone, or as part of a transaction. */
export type StartSession = (
  cause: Cause,
  command: StartSessionCommand,
  options?: WriteOptions,
) => Promise<RecordedWrite<SessionDocument>>;

/** @returns the use case */
export const createStartSession =
  ({ sessions, refreshTokens, lifetimes, now }: StartSessionDependencies): StartSession =>
  (cause, { account, method, amr, device, delivery = 'body' }, options) => {
    const _id = newId('ses');
    const at = now();
    const seed = randomBytes(32).toString('base64url');
    const generation = 1;
    const state = {
      accountId: account._id,
      accountVersion: account.accessVersion,
      method,
      ...{ amr, acr: assuranceOf(amr), authTime: at, delivery },
      status: 'live' as const,
      seed,
      refreshHash: hashRefreshToken(refreshTokens.issue({ sessionId: _id, seed, generation })),
      generation,
      rotatedAt: at,
      lastUsedAt: at,
      expiresAt: sessionExpiry(at, at, lifetimes),
      ...device,
    };
    return sessions.create(cause, { _id, state, event: started({ _id, ...state }) }, options);
  };
