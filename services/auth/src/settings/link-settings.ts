import { defineSettings } from '@causeway/service';

/** How long mailed links work, and how many are mailed. */
export const linkSettings = defineSettings({
  linkLifetimeMs: {
    env: 'LINK_LIFETIME',
    type: 'duration',
    default: 3_600_000,
    min: 60_000,
    max: 7 * 24 * 3_600_000,
    description:
      'How long a mailed link works that verifies an e-mail address, with or without an account, or changes it.',
  },
  resetLifetimeMs: {
    env: 'RESET_LIFETIME',
    type: 'duration',
    default: 15 * 60_000,
    min: 60_000,
    max: 24 * 3_600_000,
    description: 'How long a mailed link works by which somebody signs in, or sets a new password.',
  },
  linksPerBlock: {
    env: 'LINKS_PER_BLOCK',
    type: 'integer',
    default: 100,
    min: 1,
    max: 1_000_000,
    description:
      'Mailed links that are asked for from one address (IPv6: one /64) in an hour, whomever they are for, with those that signing up brings; more are answered with 429. Raise it where many people share an address.',
  },
  emailUndoMs: {
    env: 'EMAIL_UNDO_TIME',
    type: 'duration',
    default: 3 * 24 * 3_600_000,
    min: 1_000,
    max: 30 * 24 * 3_600_000,
    description:
      'For how long a changed e-mail address can be undone by the one of before, which nobody else can sign up with until then. Second factors that were set up for so long before the change go with it.',
  },
  factorUndoMs: {
    env: 'FACTOR_UNDO_TIME',
    type: 'duration',
    default: 3 * 24 * 3_600_000,
    min: 60_000,
    max: 30 * 24 * 3_600_000,
    description:
      'For how long a second factor that was added can be taken back by the link that its mail brings. So long it does not keep out whoever reads that mail.',
  },
});
