import { defineSettings } from '@causeway/service';

/** What passwords are looked up in, and how many wait to be hashed. */
export const passwordSettings = defineSettings({
  breachedPasswordsUrl: {
    env: 'BREACHED_PASSWORDS_URL',
    type: 'url',
    optional: true,
    description:
      'Where a password that somebody chooses is looked up among those of breaches too, by the first five characters of its SHA-1 (k-anonymity), such as `https://api.pwnedpasswords.com/range/`; nobody is asked if not set.',
  },
  hashQueueLimit: {
    env: 'PASSWORD_QUEUE_LIMIT',
    type: 'integer',
    default: 200,
    min: 1,
    max: 10_000,
    description: 'How many sign-ins and sign-ups may wait for a core to hash on; more are answered with 503.',
  },
});
