import { proofRequested } from '@causeway/contracts';
import { onEvent, stateOf } from '@causeway/events';
import type { Handler } from '@causeway/events';

import type { AccountDocument } from '../accounts/account.model.ts';
import { timeInWords } from '../mail/time-in-words.ts';
import { mailSignUp } from './mail-sign-up.ts';
import type { MailSignUpDependencies } from './mail-sign-up.ts';
import type { ProofDocument } from './proof.model.ts';
import { linksOfBelievers, proofKinds } from './proof-kinds.ts';
import { matched } from './proofs.events.ts';
import { withdrawal } from './withdraw-proofs.ts';

/** What {@link mailProof} is given, once it runs. */
export interface MailProofDependencies extends MailSignUpDependencies {
  /** Whether whoever has no account is written to that they have none. */
  readonly mailsUnknown: boolean;
}

/** Why a link is not mailed; undefined where it is. */
const whyNot = (proof: ProofDocument, account: AccountDocument | null): string | undefined => {
  // Of an account that has another address by now it is nobody's else.
  const isOther = proof.accountId !== undefined && proof.accountId !== account?._id;
  if (account === null || isOther) return 'unknown-address';
  if (account.disabledAt !== undefined) return 'account-disabled';
  return proofKinds[proof.kind].verifiesOnly && account.emailVerified ? 'already-verified' : undefined;
};

/** Looks up whose an address is, and mails them the link that was asked for; to nobody, where it is nobody's, unless they sign up. */
export const mailProof = (late: () => MailProofDependencies): Handler =>
  onEvent.transaction({
    name: 'mail-proof',
    on: [proofRequested],
    async handle({ data }, { cause, session }) {
      const { accounts, proofs, queueMail, publicUrl, mailsUnknown, now } = late();
      const proof = await proofs.native.findOne({ _id: data.proofId }, { session });
      if (proof?.status !== 'open') return;
      const { emailKey, kind, expiresAt } = proof;
      if (kind === 'sign-up') {
        await mailSignUp(late(), cause, proof, session);
        return;
      }
      const { about, mail, mailWithSecondFactor = mail } = proofKinds[kind];
      const whose = about === 'account' ? { _id: proof.accountId ?? '' } : { emailKey };
      const account = await accounts.native.findOne(whose, { session });
      const reason = whyNot(proof, account);
      if (account === null || reason !== undefined) {
        const owner = reason === 'unknown-address' ? proof.accountId : account?._id;
        await proofs.update(cause, proof._id, (current) => withdrawal(current, reason ?? '', now(), owner), {
          session,
        });
        const isNobodys = account === null && proof.accountId === undefined;
        if (mailsUnknown && isNobodys && linksOfBelievers.includes(kind)) {
          const params = { signUpPage: `${publicUrl}/account/sign-up` };
          await queueMail(cause, { template: 'no-account', to: proof.email, params }, session);
        }
        return;
      }
      const accountId = account._id;
      // As its owner wrote it: whoever asks may write it otherwise, and have a mailbox of that name. One that is to be, or was, an account's is
      // not its address; but that account alone could ask.
      const to = about === 'account' ? proof.email : account.email;
      if (proof.accountId === undefined) {
        const own = (current: ProofDocument) => ({
          state: { ...stateOf(current), accountId },
          event: matched(current, accountId),
        });
        await proofs.update(cause, proof._id, own, { session });
      }
      const template = account.hasSecondFactor === true ? mailWithSecondFactor : mail;
      const params = { ...proof.told, expiresAt: timeInWords(expiresAt) };
      await queueMail(cause, { template, to, accountId, proofId: proof._id, params }, session);
    },
  });
