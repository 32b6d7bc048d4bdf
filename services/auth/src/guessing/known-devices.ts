import { createHmac } from 'node:crypto';

import type { ClientSession, Db } from 'mongodb';

import { deviceTokenDays } from './device-token.ts';
import type { DeviceTokens, IssuedDevice } from './device-token.ts';
import type { KnownBy, KnownDevice } from './guess.ts';

const dayMs = 86_400_000;

/** For so long a device keeps its token: renewed in time, it is known for as long as somebody signs in from there now and then. */
const keptForMs = (deviceTokenDays / 2) * dayMs;

/** Since when devices are known to an account, where that is not for ever. It carries no events: what has made strangers of them does. */
interface StrangersRow {
  /** An HMAC of the address, which names nobody. */
  readonly _id: string;
  /** Those that came to be known before are strangers. */
  readonly from: Date;
  /** But for those that have shown the second factor in this time, until somebody has signed in with it since. */
  readonly spared?: { readonly since: Date; readonly until: Date };
  /** When no token is left that it could be about. */
  readonly forgetAt: Date;
}

/** Which devices an account does not forget. */
export interface SparedDevices {
  /** Those that had shown its second factor by then; undefined where none are spared. */
  readonly provenUntil: Date | undefined;
}

/** Devices that an account knows. */
export interface KnownDevices {
  ensureIndexes(): Promise<unknown>;
  /**
   * What an account knows a device as, that has shown by its token that somebody was signed in from there. Nothing is looked up for a token that
   * is not genuine.
   *
   * @param token - as the device sent it
   * @param emailKey - of the account
   */
  find(token: string | undefined, emailKey: string): Promise<KnownDevice | undefined>;
  /**
   * The token of a device from which a mailed link was opened: its own, where that says more than that its owner's mail is read there; else a
   * new one.
   *
   * @param token - as the device sent it
   */
  tokenByMail(token: string | undefined, emailKey: string): Promise<string>;
  /**
   * The token of a device from which somebody has just signed in: its own, where it has shown the second factor then and before, so that it goes
   * on saying since when; else a new one. So has one that is only spared, since {@link confirm} makes a stranger of it.
   *
   * @param token - as the device sent it
   * @param by - what was shown
   */
  tokenAfter(token: string | undefined, emailKey: string, by: KnownBy): Promise<string>;
  /**
   * Makes strangers of all that are known by now, in the transaction that finds out whose the account is.
   *
   * @param spared - where somebody has shown that they read the mail and no more, and a second factor is asked for still: those that have shown
   *   it stay until {@link confirm}, since strangers must not keep their owner out by a link
   */
  forget(emailKey: string, session: ClientSession, spared?: SparedDevices): Promise<void>;
  /** Somebody has signed in with the second factor: what was found out by a link is so, and those that were spared are strangers too. */
  confirm(emailKey: string): Promise<void>;
  /** Forgets what counts no more. */
  forgetOld(): Promise<void>;
}

/** What {@link createKnownDevices} is given. */
export interface KnownDevicesDependencies {
  readonly db: Db;
  readonly deviceTokens: DeviceTokens;
  /** 32 bytes, the same in every replica. */
  readonly secret: Uint8Array;
  readonly now: () => Date;
}

const isKnown = (
  { issuedAt, budget }: IssuedDevice,
  { from, spared }: Pick<StrangersRow, 'from' | 'spared'>,
): boolean =>
  issuedAt >= from ||
  (budget === 'proven' && spared !== undefined && issuedAt >= spared.since && issuedAt < spared.until);

/** Who was spared stays so as far as both times say: nobody comes back who was a stranger already. */
const sparedBy = (
  before: Pick<StrangersRow, 'from' | 'spared'> | null,
  { provenUntil }: SparedDevices,
): StrangersRow['spared'] => {
  if (provenUntil === undefined) return undefined;
  const { since, until } = before?.spared ?? { since: before?.from ?? new Date(0), until: provenUntil };
  const earlier = until < provenUntil ? until : provenUntil;
  return since < earlier ? { since, until: earlier } : undefined;
};

/** Makes it. */
export function createKnownDevices({ db, deviceTokens, secret, now }: KnownDevicesDependencies): KnownDevices {
  const rows = db.collection<StrangersRow>('strange-devices');
  const idOf = (emailKey: string): string => createHmac('sha256', secret).update(emailKey).digest('base64url');

  const rowOf = (emailKey: string) => rows.findOne({ _id: idOf(emailKey) }, { projection: { from: 1, spared: 1 } });

  const find: KnownDevices['find'] = async (token, emailKey) => {
    const device = deviceTokens.read(token, emailKey);
    if (device === undefined) return undefined;
    const row = await rowOf(emailKey);
    const { name, budget } = device;
    return row === null || isKnown(device, row) ? { name, budget } : undefined;
  };

  /** Whether it is known as proven, and not only spared, and has a good while left. */
  const isProven = async (device: IssuedDevice | undefined, emailKey: string): Promise<boolean> => {
    if (device?.budget !== 'proven' || now().getTime() - device.issuedAt.getTime() > keptForMs) return false;
    const row = await rowOf(emailKey);
    return row === null || isKnown(device, { from: row.from });
  };

  return {
    find,
    ensureIndexes: () => rows.createIndexes([{ key: { forgetAt: 1 }, name: 'forget' }]),
    async tokenByMail(token, emailKey) {
      const device = await find(token, emailKey);
      const saysMore = device !== undefined && device.budget !== 'mailed';
      return saysMore && token !== undefined ? token : deviceTokens.issue(emailKey, 'mailed');
    },
    async tokenAfter(token, emailKey, by) {
      const isKept = by === 'proven' && (await isProven(deviceTokens.read(token, emailKey), emailKey));
      return isKept && token !== undefined ? token : deviceTokens.issue(emailKey, by);
    },
    async forget(emailKey, session, { provenUntil } = { provenUntil: undefined }) {
      const _id = idOf(emailKey);
      const from = now();
      const spared = sparedBy(await rows.findOne({ _id }, { session }), { provenUntil });
      const forgetAt = new Date(from.getTime() + (deviceTokenDays + 1) * dayMs);
      const write = {
        $set: { from, forgetAt, ...(spared !== undefined && { spared }) },
        ...(spared === undefined && { $unset: { spared: 1 as const } }),
      };
      await rows.updateOne({ _id }, write, { session, upsert: true });
    },
    async confirm(emailKey) {
      await rows.updateOne({ _id: idOf(emailKey), spared: { $exists: true } }, { $unset: { spared: 1 } });
    },
    async forgetOld() {
      await rows.deleteMany({ forgetAt: { $lte: now() } });
    },
  };
}
