import type { Feature, Ground } from '../feature.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createKnownDevices } from './known-devices.ts';

const forgetEveryMs = 3_600_000;

/** Devices that accounts know: strangers' guesses, and the links that they ask for, are counted apart from theirs. */
export function createDevices(
  { events, masterKey, now }: Pick<Ground, 'events' | 'masterKey' | 'now'>,
  { tokens: { deviceTokens } }: { readonly tokens: Pick<TokenMakers, 'deviceTokens'> },
) {
  const knownDevices = createKnownDevices({
    ...{ db: events.db, deviceTokens, now },
    secret: masterKey.derive('strange-devices'),
  });
  return {
    knownDevices,
    ensureIndexes: () => knownDevices.ensureIndexes(),
    jobs: [{ name: 'forget-devices', everyMs: forgetEveryMs, run: () => knownDevices.forgetOld() }],
  } satisfies Feature;
}

/** What {@link createDevices} gives. */
export type Devices = ReturnType<typeof createDevices>;
