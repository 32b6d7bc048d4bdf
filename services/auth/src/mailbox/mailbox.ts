import type { Vault } from '@causeway/service';
import type { Db } from 'mongodb';

import { parseEmailAddress } from '../accounts/email-address.ts';
import type { RenderedMail } from '../mail/mail-transport.ts';

/** Of an installation without a mail server: more than anybody looks through, and no more than a few MiB. */
const kept = 1_000;

/** A mail in the mailbox, without what it says. */
export interface MailboxEntry {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly at: Date;
}

/** A mail in the mailbox. */
export interface MailboxMail extends MailboxEntry {
  readonly text: string;
  readonly html: string;
}

interface Row {
  readonly _id: string;
  readonly to: string;
  /** As addresses are compared. */
  readonly toKey: string;
  readonly subject: string;
  readonly at: Date;
  /** What the mail says: links open doors, so it is encrypted at rest. */
  readonly sealed: string;
}

/** Which mails to list. */
export interface MailboxQuery {
  /** The `key` of an e-mail address. */
  readonly toKey?: string | undefined;
  readonly limit: number;
}

/** Where mails end up in an installation that has no mail server. */
export interface Mailbox {
  ensureIndexes(): Promise<void>;
  /** Puts a mail in; one that is there already stays. Of all mails the newest thousand are kept. */
  put(mail: RenderedMail): Promise<void>;
  /** The newest first. */
  list(query: MailboxQuery): Promise<MailboxEntry[]>;
  read(id: string): Promise<MailboxMail | undefined>;
  forget(ids: readonly string[]): Promise<void>;
}

/** How {@link createMailbox} is wired. */
export interface MailboxOptions {
  readonly db: Db;
  readonly vault: Vault;
  readonly now: () => Date;
}

const entryOf = ({ _id, to, subject, at }: Pick<Row, '_id' | 'to' | 'subject' | 'at'>): MailboxEntry => ({
  id: _id,
  ...{ to, subject, at },
});

/** Makes the mailbox. */
export function createMailbox({ db, vault, now }: MailboxOptions): Mailbox {
  const rows = db.collection<Row>('mailbox');

  const dropOld = async (): Promise<void> => {
    const [newest] = await rows
      .find({}, { projection: { at: 1 } })
      .sort({ at: -1 })
      .skip(kept)
      .limit(1)
      .toArray();
    if (newest !== undefined) await rows.deleteMany({ at: { $lte: newest.at } });
  };

  return {
    async ensureIndexes() {
      await rows.createIndexes([
        { key: { at: -1 }, name: 'newest' },
        { key: { toKey: 1, at: -1 }, name: 'newest-of-address' },
      ]);
    },
    async put({ id, to, subject, text, html }) {
      const toKey = parseEmailAddress(to)?.key ?? to;
      const row = { to, toKey, subject, at: now(), sealed: vault.seal(JSON.stringify({ text, html }), id) };
      await rows.updateOne({ _id: id }, { $setOnInsert: row }, { upsert: true });
      await dropOld();
    },
    async list({ toKey, limit }) {
      const filter = toKey === undefined ? {} : { toKey };
      const found = rows.find(filter, { projection: { to: 1, subject: 1, at: 1 } });
      return (await found.sort({ at: -1 }).limit(limit).toArray()).map(entryOf);
    },
    async read(id) {
      const row = await rows.findOne({ _id: id });
      if (row === null) return undefined;
      const said = JSON.parse(vault.open(row.sealed, id)) as Pick<MailboxMail, 'text' | 'html'>;
      return { ...entryOf(row), ...said };
    },
    async forget(ids) {
      await rows.deleteMany({ _id: { $in: [...ids] } });
    },
  };
}
