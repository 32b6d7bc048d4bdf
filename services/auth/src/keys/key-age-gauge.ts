import { createGauge } from '@causeway/telemetry';

import type { Keyring } from './keyring.ts';

/**
 * Tells how long the key that signs has done so. Every replica tells the same.
 *
 * @returns looks; to be called again and again
 */
export function watchKeyAge(keyring: Pick<Keyring, 'refresh'>): () => Promise<void> {
  let ageS: number | undefined;
  const options = { description: 'How long the key that signs access tokens has been in use.', unit: 's' };
  createGauge('causeway.auth.key.age', options, () => ageS);
  return async () => {
    const { keys, at } = await keyring.refresh();
    const { activatedAt } = keys.find(({ state }) => state === 'active') ?? {};
    // By MongoDB's clock both.
    ageS = activatedAt === undefined ? undefined : Math.max(0, (at.getTime() - activatedAt.getTime()) / 1_000);
  };
}
