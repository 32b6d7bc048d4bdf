import { defineSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

/** Where passkeys are used. */
export const passkeySettings = defineSettings({
  passkeyRpId: {
    env: 'PASSKEY_RP_ID',
    type: 'string',
    optional: true,
    description:
      'The domain that passkeys belong to (WebAuthn, "RP ID"): that of `PUBLIC_URL`, or one above it. The host of `PUBLIC_URL` if not set; `localhost` where that is a loopback address, since no address is a domain. Changed later, all passkeys are lost.',
  },
  passkeyOrigins: {
    env: 'PASSKEY_ORIGINS',
    type: 'list',
    default: [],
    description:
      'Where passkeys may be used, beside the origin of `PUBLIC_URL` (and `http://localhost` with its port, where that is a loopback address): origins within `PASSKEY_RP_ID`, separated by commas.',
  },
});

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

/** What is no domain, or no origin, is used by no browser. */
export const checkPasskeySettings: SettingsCheck<typeof passkeySettings> = ({ passkeyRpId, passkeyOrigins = [] }) => {
  const { passkeyRpId: rpId, passkeyOrigins: origins } = passkeySettings;
  const problems: string[] = [];
  if (passkeyRpId !== undefined && !/^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]*[a-z][a-z0-9-]*)*$/.test(passkeyRpId)) {
    problems.push(`${rpId.env} must be a domain such as example.com, in lower case`);
  }
  if (!passkeyOrigins.every(isOrigin)) {
    problems.push(`${origins.env} must be origins such as https://app.example.com, separated by commas`);
  }
  return problems;
};
