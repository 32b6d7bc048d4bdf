import { createClaimAccount } from '../accounts/claim-account.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import { createTellEnding } from '../revocations/tell-ending.ts';
import type { Revocations } from '../revocations/revocations.wiring.ts';
import type { Ticketing } from '../tickets/tickets.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createRedeemLink } from './redeem-link.ts';
import type { Sessions } from './sessions.wiring.ts';
import { redeemLinkRoute, sendSignInLinkRoute } from './sign-in-link.routes.ts';

interface Others {
  readonly sessions: Pick<Sessions, 'beginSignIn' | 'admit' | 'cookies'>;
  readonly proofs: Pick<Proofs, 'askForLink' | 'useProof' | 'withdrawProofs'>;
  readonly revocations: Pick<Revocations, 'teller'>;
  readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
  readonly guessing: Guessing;
  readonly ticketing: Pick<Ticketing, 'tickets'>;
}

/** Signing in by a link that is mailed. */
export function createSignInLinks(
  ground: Pick<Ground, 'events' | 'accounts' | 'factors' | 'now'>,
  {
    sessions: { beginSignIn, admit, cookies },
    proofs: { askForLink, useProof, withdrawProofs },
    revocations: { teller },
    tokens: { deviceTokens },
    guessing: { guard, knownDevices },
    ticketing: { tickets },
  }: Others,
) {
  const { transaction } = ground.events;
  const claimAccount = createClaimAccount({ ...ground, withdrawProofs, knownDevices, tickets });
  const tellEnding = createTellEnding({ teller, now: ground.now });
  const redeemLink = createRedeemLink({
    ...{ useProof, claimAccount, beginSignIn, admit, guard, tellEnding, transaction },
  });
  return {
    redeemLink,
    routes: [sendSignInLinkRoute({ askForLink, cookies }), redeemLinkRoute({ redeemLink, cookies, deviceTokens })],
  } satisfies Feature;
}

/** What {@link createSignInLinks} gives. */
export type SignInLinks = ReturnType<typeof createSignInLinks>;
