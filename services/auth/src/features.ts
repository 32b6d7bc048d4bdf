import { createAccounts } from './accounts/accounts.wiring.ts';
import { createEmailChanges } from './accounts/email/email-changes.wiring.ts';
import { createAdministration } from './accounts/admin/administration.wiring.ts';
import { createAudit } from './audit/audit.wiring.ts';
import { createErasure } from './erasure/erasure.wiring.ts';
import { createFactors } from './factors/factors.wiring.ts';
import type { Ground } from './feature.ts';
import { createDevices } from './guessing/devices.wiring.ts';
import { createGuessing } from './guessing/guessing.wiring.ts';
import { createKeys } from './keys/keys.wiring.ts';
import { createMail } from './mail/mail.wiring.ts';
import { createPages } from './pages/pages.wiring.ts';
import { createPasswordChanges } from './passwords/password-changes.wiring.ts';
import { createPasswords } from './passwords/passwords.wiring.ts';
import { createProofs } from './proofs/proofs.wiring.ts';
import { createRevocations } from './revocations/revocations.wiring.ts';
import { createSessions } from './sessions/sessions.wiring.ts';
import { createSignInLinks } from './sessions/sign-in-links.wiring.ts';
import { createTicketing } from './tickets/tickets.wiring.ts';
import { createTokens } from './tokens/tokens.wiring.ts';

/** All that this service does, each feature given what it needs of others. Nothing runs yet. */
export async function createFeatures(ground: Ground) {
  const keys = createKeys(ground);
  const passwords = await createPasswords(ground);
  const revocations = createRevocations(ground);
  const tokens = createTokens(ground, { keys, revocations });
  const devices = createDevices(ground, { tokens });
  const proofs = createProofs(ground, { devices });
  const guessing = createGuessing(ground, { proofs, devices });
  const ticketing = createTicketing(ground);
  const factors = createFactors(ground, { guessing, ticketing, proofs, revocations, tokens });
  const sessions = createSessions(ground, { passwords, revocations, tokens, guessing, ticketing, factors, proofs });
  const others = { passwords, revocations, tokens, guessing, ticketing, sessions, proofs };
  const signInLinks = createSignInLinks(ground, others);
  const passwordChanges = createPasswordChanges(ground, others);
  const audit = createAudit(ground);
  const mail = await createMail(ground, { proofs, audit });
  const accounts = createAccounts(ground, { passwords, sessions, tokens, guessing, proofs });
  const emailChanges = createEmailChanges(ground, { ...others, accounts });
  const administration = createAdministration(ground, { revocations, sessions, ticketing, guessing });
  const erasure = createErasure(ground, { passwords, sessions, guessing });
  const pages = createPages(ground, {
    sessions,
    accounts,
    proofs,
    signInLinks,
    emailChanges,
    passwordChanges,
    tokens,
    guessing,
    factors,
    audit,
    mail,
  });
  return {
    keys,
    passwords,
    revocations,
    tokens,
    devices,
    guessing,
    ticketing,
    factors,
    sessions,
    proofs,
    signInLinks,
    passwordChanges,
    mail,
    accounts,
    emailChanges,
    administration,
    erasure,
    audit,
    pages,
  };
}

/** What {@link createFeatures} gives. */
export type Features = Awaited<ReturnType<typeof createFeatures>>;
