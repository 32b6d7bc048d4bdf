import { defineSettings } from '@causeway/service';
import type { SettingsCheck } from '@causeway/service';

const dayMs = 24 * 60 * 60 * 1000;

/** How long sessions last. */
export const sessionSettings = defineSettings({
  sessionIdleMs: {
    env: 'SESSION_IDLE_LIFETIME',
    type: 'duration',
    default: 30 * dayMs,
    min: 60_000,
    description: 'A session that is not refreshed for so long is over.',
  },
  sessionAbsoluteMs: {
    env: 'SESSION_ABSOLUTE_LIFETIME',
    type: 'duration',
    default: 90 * dayMs,
    min: 60_000,
    description: 'However much it is used, a session is over after so long.',
  },
  stepUpAgeMs: {
    env: 'STEP_UP_AGE',
    type: 'duration',
    default: 15 * 60_000,
    min: 60_000,
    description:
      'For so long after somebody has proved who they are, they may do what could do them harm, such as enrol or remove a second factor.',
  },
});

/** The end of all use is not before that of none. */
export const checkSessionSettings: SettingsCheck<typeof sessionSettings> = ({ sessionIdleMs, sessionAbsoluteMs }) => {
  if (sessionIdleMs === undefined || sessionAbsoluteMs === undefined || sessionAbsoluteMs >= sessionIdleMs) return [];
  return [`${sessionSettings.sessionAbsoluteMs.env} must not be shorter than ${sessionSettings.sessionIdleMs.env}`];
};
