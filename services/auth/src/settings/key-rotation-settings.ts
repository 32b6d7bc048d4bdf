import { defineSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** How signing keys follow one another. */
export const keyRotationSettings = defineSettings({
  keyRotationMs: {
    env: 'KEY_ROTATION',
    type: 'duration',
    default: 30 * 24 * hourMs,
    min: hourMs,
    description: 'How long a key signs access tokens before the next one does.',
  },
  keyStageMs: {
    env: 'KEY_STAGE',
    type: 'duration',
    default: 20 * minuteMs,
    // The 5 minutes that caches may keep the keys for, the 10 that a service does, and its half minute between two questions.
    min: 16 * minuteMs,
    description:
      'How long a signing key is published before it signs: longer than any service of yours keeps the keys that it has fetched.',
  },
});

/** The next key is published while the one before signs. */
export const checkKeyRotationSettings: SettingsCheck<typeof keyRotationSettings> = ({ keyRotationMs, keyStageMs }) => {
  if (keyRotationMs === undefined || keyStageMs === undefined || keyStageMs <= keyRotationMs) return [];
  return [`${keyRotationSettings.keyStageMs.env} must not be longer than ${keyRotationSettings.keyRotationMs.env}`];
};
