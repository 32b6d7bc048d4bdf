import type { Cause } from '@causeway/contracts';
import type { Events } from '@causeway/events';

import type { ClaimAccount } from '../accounts/claim-account.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { UseProof } from '../proofs/use-proof.ts';
import type { TellEnding } from '../revocations/tell-ending.ts';
import type { Admit, BeginSignIn, MfaRequired, SignedIn } from './complete-sign-in.ts';
import type { Device } from './start-session.ts';

/** What {@link createRedeemLink} is given. */
export interface RedeemLinkDependencies {
  readonly useProof: UseProof;
  readonly claimAccount: ClaimAccount;
  readonly beginSignIn: BeginSignIn;
  readonly admit: Admit;
  readonly guard: Pick<GuessGuard, 'clear'>;
  readonly tellEnding: TellEnding;
  readonly transaction: Events['transaction'];
}

/** A link, and from where it is used. */
export interface RedeemLinkCommand {
  readonly token: string;
  readonly device: Device;
}

/**
 * Signs somebody in by a link that was mailed to them: one proof, so an account with a second factor asks for that too. The link is used up
 * in the transaction that begins the session, or issues the token of the second step: of any number at once one gets in.
 *
 * @returns the use case; it throws faults `link-invalid`, `account-disabled` (the link stays), and `invalid-credentials` where the account
 *   has changed meanwhile
 */
export const createRedeemLink = (dependencies: RedeemLinkDependencies) => {
  const { useProof, claimAccount, beginSignIn, admit, guard, tellEnding, transaction } = dependencies;
  return async (cause: Cause, { token, device }: RedeemLinkCommand): Promise<SignedIn | MfaRequired> => {
    const { accountId, emailKey } = await useProof.peek(token, 'sign-in-link');
    const own: Cause = { ...cause, principal: { type: 'app_user', id: accountId } };
    const { begun, claimed, events } = await transaction(async (session) => {
      const { event } = await useProof.use(own, token, 'sign-in-link', session);
      const of = await claimAccount(own, { accountId, emailKey }, session);
      const proven = { account: of.account, method: 'link', amr: ['link'], device };
      const entered = await beginSignIn(own, proven, session);
      return { begun: entered, claimed: of, events: [event, ...of.events, ...entered.events] };
    });
    await tellEnding(accountId, claimed.event);
    // A second factor is guessed at too: whoever reads the mail alone could have that forgiven for ever.
    if (begun.status === 'mfa-required') return { ...begun, events };
    await guard.clear(emailKey);
    return admit(own, begun.document, events);
  };
};

/** Signs in by a link. */
export type RedeemLink = ReturnType<typeof createRedeemLink>;
