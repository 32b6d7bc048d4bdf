import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { AccountDocument } from '../accounts/account.model.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import type { ProofDocument } from './proof.model.ts';
import { withdrawal } from './withdraw-proofs.ts';

/** What {@link mailSignUp} is given. */
export interface MailSignUpDependencies {
  readonly accounts: Pick<RecordedCollection<AccountDocument>, 'native'>;
  readonly proofs: Pick<RecordedCollection<ProofDocument>, 'native' | 'update'>;
  readonly queueMail: QueueMail;
  /** Where clients reach the platform. */
  readonly publicUrl: string;
  readonly now: () => Date;
}

/** An address that an account has given up, as its owner wrote it: the link that undoes the change says so. */
const keptAs = async (
  { proofs }: Pick<MailSignUpDependencies, 'proofs'>,
  whose: { readonly accountId: string; readonly emailKey: string },
  session: ClientSession,
): Promise<string> => {
  const newest = { session, sort: { createdAt: -1 }, projection: { email: 1 } } as const;
  const proof = await proofs.native.findOne({ ...whose, kind: 'undo-email' }, newest);
  return proof?.email ?? whose.emailKey;
};

/**
 * Writes to the address that somebody wants to sign up with: the link, where nobody has it; else that there is an account, and the ways in to
 * it. One mail in either case, and whoever signs up is told of neither.
 */
export async function mailSignUp(
  { accounts, proofs, queueMail, publicUrl, now }: MailSignUpDependencies,
  cause: Cause,
  { _id: proofId, email, emailKey, expiresAt }: ProofDocument,
  session: ClientSession,
): Promise<void> {
  // One that is kept for an account since a change is not free either.
  const account = await accounts.native.findOne({ $or: [{ emailKey }, { emailKeys: emailKey }] }, { session });
  if (account === null) {
    const params = { expiresAt: timeInWords(expiresAt) };
    await queueMail(cause, { template: 'sign-up', to: email, proofId, params }, session);
    return;
  }
  const accountId = account._id;
  await proofs.update(cause, proofId, (proof) => withdrawal(proof, 'known-address', now(), accountId), { session });
  // Never as whoever asks writes it, who may have a mailbox of that name.
  const isCurrent = account.emailKey === emailKey;
  const to = isCurrent ? account.email : await keptAs({ proofs }, { accountId, emailKey }, session);
  const params = { signInPage: `${publicUrl}/account/sign-in`, resetPage: `${publicUrl}/account/reset` };
  await queueMail(cause, { template: 'account-exists', to, accountId, params }, session);
}
