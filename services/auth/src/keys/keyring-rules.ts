import { accessTokenLifetimeS } from '../tokens/access-token.ts';
import type { KeyringReading, SigningKey } from './keyring.model.ts';

/** How the life of a key is divided. */
export interface KeyringTimes {
  /** How long a key signs. */
  readonly rotationMs: number;
  /** How long it is published before: longer than anybody keeps the keys of before. */
  readonly stageMs: number;
}

/** How long a replica goes by what it has read last; then it reads again before it signs. */
export const viewLifeMs = 60_000;

/** For clocks that differ, and reads that are slow. */
const slackMs = 60_000;

/** After so long nobody signs with a key that another one has followed. */
const lastUseMs = viewLifeMs + slackMs;

/** After so long nothing that it has signed is valid. */
const lastTokenMs = lastUseMs + accessTokenLifetimeS * 1000 + slackMs;

/** What happens to a key next. A key that is to be published has to be made first. */
export type KeyringStep =
  { readonly change: 'published' } | { readonly change: 'activated' | 'retired' | 'removed'; readonly kid: string };

const since = (time: Date | undefined, at: Date): number => (time === undefined ? 0 : at.getTime() - time.getTime());

/**
 * The next step, one at a time: the next key is published before the active one is old, becomes the active one when it has been published
 * for long enough, and goes in two steps when the one after it signs: first its private half, then, when its last token has expired, the rest.
 *
 * @param servedMs - how long this process has had a key among those that it publishes: while no process ran, nobody has heard of it
 * @returns undefined where nothing is due
 */
export function nextStep(
  { keys, at }: KeyringReading,
  { rotationMs, stageMs }: KeyringTimes,
  servedMs: (kid: string) => number,
): KeyringStep | undefined {
  const old = keys.find(({ supersededAt }) => since(supersededAt, at) >= lastUseMs);
  if (old?.state === 'retiring') return { change: 'retired', kid: old.kid };
  if (old !== undefined && since(old.supersededAt, at) >= lastTokenMs) return { change: 'removed', kid: old.kid };

  const signedForMs = since(keys.find(({ state }) => state === 'active')?.activatedAt, at);
  const next = keys.find(({ state }) => state === 'published');
  if (next === undefined) return signedForMs >= rotationMs - stageMs ? { change: 'published' } : undefined;
  const staged = since(next.publishedAt, at) >= stageMs && servedMs(next.kid) >= stageMs;
  return staged && signedForMs >= rotationMs ? { change: 'activated', kid: next.kid } : undefined;
}

const changed = (key: SigningKey, { change, kid }: Exclude<KeyringStep, { change: 'published' }>, at: Date) => {
  if (change === 'activated' && key.state === 'active') return { ...key, state: 'retiring', supersededAt: at } as const;
  if (key.kid !== kid) return key;
  if (change === 'activated') return { ...key, state: 'active', activatedAt: at } as const;
  const { sealed: _, ...rest } = key;
  return { ...rest, state: 'retired' } as const;
};

/** @returns the keys after a step that changes one that is there */
export function afterStep(
  { keys, at }: KeyringReading,
  step: Exclude<KeyringStep, { change: 'published' }>,
): readonly SigningKey[] {
  if (step.change === 'removed') return keys.filter(({ kid }) => kid !== step.kid);
  return keys.map((key) => changed(key, step, at));
}

/**
 * The key that signs a token: the one that was active when it was issued, so that a retry gets the very same token from any replica, also
 * across a change of keys.
 *
 * @param keys - whose private half is there
 */
export function keyFor(keys: readonly SigningKey[], issuedAt: Date): SigningKey | undefined {
  const then = keys.findLast(({ activatedAt }) => activatedAt !== undefined && activatedAt <= issuedAt);
  return then ?? keys.find(({ state }) => state === 'active');
}
