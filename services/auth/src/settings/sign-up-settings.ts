import { defineSettings } from '@causeway/service';

/** How somebody comes to have an account. */
export const signUpSettings = defineSettings({
  emailVerification: {
    env: 'EMAIL_VERIFICATION',
    type: 'enum',
    values: ['optional', 'required'],
    default: 'optional',
    description:
      '`required`: there is no account before its address has been verified. Signing up has a link mailed and answers alike for every address; accounts of before that nobody has verified are not signed in to until they are.',
  },
});
