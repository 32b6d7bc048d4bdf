import { removalMarkers } from '@causeway/events';
import type { Events } from '@causeway/events';
import type { Connection } from 'mongoose';

import { accountQueries, accountsCollection } from './accounts/account.model.ts';
import type { AccountDocument } from './accounts/account.model.ts';
import { auditSealsCollection } from './audit/audit.model.ts';
import type { AuditSealDocument } from './audit/audit.model.ts';
import { createErasureNotes } from './erasure/erased-addresses.ts';
import { factorQueries, factorsCollection } from './factors/factor.model.ts';
import type { FactorDocument } from './factors/factor.model.ts';
import { keyringsCollection } from './keys/keyring.model.ts';
import type { KeyringDocument } from './keys/keyring.model.ts';
import { readingsCollection } from './audit/note-reading.ts';
import type { ReadingDocument } from './audit/note-reading.ts';
import { guardQueries, guardsCollection } from './guessing/guard.model.ts';
import type { GuardDocument } from './guessing/guard.model.ts';
import { mailQueries, mailsCollection } from './mail/mail.model.ts';
import type { MailDocument } from './mail/mail.model.ts';
import { proofQueries, proofsCollection } from './proofs/proof.model.ts';
import type { ProofDocument } from './proofs/proof.model.ts';
import { sessionQueries, sessionsCollection } from './sessions/session.model.ts';
import type { SessionDocument } from './sessions/session.model.ts';

/**
 * The collections of this service: writes, which record events, and reads.
 *
 * @param events - not started yet: what is recorded is known by then
 * @param database - this service's own
 */
export const createStores = (events: Events, database: Connection) => ({
  accounts: events.collection<AccountDocument>(accountsCollection, { thing: 'account' }),
  accountQueries: accountQueries(database),
  sessions: events.collection<SessionDocument>(sessionsCollection, { thing: 'session' }),
  sessionQueries: sessionQueries(database),
  factors: events.collection<FactorDocument>(factorsCollection, { thing: 'factor' }),
  factorQueries: factorQueries(database),
  keyrings: events.collection<KeyringDocument>(keyringsCollection, { thing: 'keyring' }),
  guards: events.collection<GuardDocument>(guardsCollection, { thing: 'guard' }),
  guardQueries: guardQueries(database),
  mails: events.collection<MailDocument>(mailsCollection, { thing: 'mail' }),
  mailQueries: mailQueries(database),
  auditSeals: events.collection<AuditSealDocument>(auditSealsCollection, { thing: 'audit' }),
  readings: events.collection<ReadingDocument>(readingsCollection, { thing: 'reading' }),
  proofs: events.collection<ProofDocument>(proofsCollection, { thing: 'proof' }),
  proofQueries: proofQueries(database),
  erasureNotes: createErasureNotes(events.db),
  markers: removalMarkers(events),
});

/** The collections of this service. */
export type Stores = ReturnType<typeof createStores>;
