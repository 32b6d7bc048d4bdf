import { createHmac } from 'node:crypto';

import type { ClientSession, Db } from 'mongodb';

import { deviceTokenDays } from './device-token.ts';
import type { DeviceTokens } from './device-token.ts';

const dayMs = 86_400_000;

/** Since when devices are known to an account, where that is not for ever. It carries no events: what has made strangers of them does. */
interface StrangersRow {
  /** An HMAC of the address, which names nobody. */
  readonly _id: string;
  /** Those that came to be known before are strangers. */
  readonly from: Date;
  /** When no token is left that it could be about. */
  readonly forgetAt: Date;
}

/** Devices that an account knows. */
export interface KnownDevices {
  ensureIndexes(): Promise<unknown>;
  /**
   * Whether a device has shown that the account was signed in to from it. Nothing is looked up for a token that is not genuine.
   *
   * @param token - as the device sent it
   * @param emailKey - of the account
   */
  isKnown(token: string | undefined, emailKey: string): Promise<boolean>;
  /** Makes strangers of all that are known by now, in the transaction that finds out whose the account is. */
  forget(emailKey: string, session: ClientSession): Promise<void>;
  /** Forgets what counts no more. */
  forgetOld(): Promise<void>;
}

/** What {@link createKnownDevices} is given. */
export interface KnownDevicesDependencies {
  readonly db: Db;
  readonly deviceTokens: Pick<DeviceTokens, 'issuedAt'>;
  /** 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  readonly now: () => Date;
}

/** Makes it. */
export function createKnownDevices({ db, deviceTokens, secret, now }: KnownDevicesDependencies): KnownDevices {
  const rows = db.collection<StrangersRow>('strange-devices');
  const idOf = (emailKey: string): string => createHmac('sha256', secret).update(emailKey).digest('base64url');
  return {
    ensureIndexes: () => rows.createIndexes([{ key: { forgetAt: 1 }, name: 'forget' }]),
    async isKnown(token, emailKey) {
      const issuedAt = deviceTokens.issuedAt(token, emailKey);
      if (issuedAt === undefined) return false;
      const row = await rows.findOne({ _id: idOf(emailKey) }, { projection: { from: 1 } });
      return row === null || issuedAt >= row.from;
    },
    async forget(emailKey, session) {
      const from = now();
      const forgetAt = new Date(from.getTime() + (deviceTokenDays + 1) * dayMs);
      await rows.updateOne({ _id: idOf(emailKey) }, { $set: { from, forgetAt } }, { session, upsert: true });
    },
    async forgetOld() {
      await rows.deleteMany({ forgetAt: { $lte: now() } });
    },
  };
}
