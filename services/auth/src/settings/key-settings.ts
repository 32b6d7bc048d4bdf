import { defineSettings } from '@causeway/service';

/** What keys are encrypted and derived under. */
export const keySettings = defineSettings({
  masterKey: {
    env: 'CAUSEWAY_MASTER_KEY',
    type: 'secret',
    minLength: 32,
    description:
      'Encrypts the signing keys at rest and derives refresh tokens: at least 32 random characters, such as `openssl rand -base64 32` gives. Without it every session is lost.',
  },
});
