import { defineSettings } from '@causeway/service';

/** How often somebody may guess, beside what each account has. */
export const guessingSettings = defineSettings({
  guessesPerBlock: {
    env: 'GUESSES_PER_BLOCK',
    type: 'integer',
    default: 100,
    min: 1,
    max: 1_000_000,
    description:
      'Wrong passwords and codes from one address (IPv6: one /64) in 15 minutes; more are answered with 429. Raise it where many people share an address. Devices that an account knows are not counted.',
  },
  guessesOverall: {
    env: 'GUESSES_OVERALL',
    type: 'integer',
    default: 600,
    min: 1,
    max: 10_000_000,
    description:
      'Wrong passwords and codes from everywhere in a minute; more are answered with 429, save from devices that an account knows.',
  },
});
