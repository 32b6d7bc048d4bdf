import { keyringChanged } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import { draft, stateOf } from '@causeway/events';
import type { RecordedCollection } from '@causeway/events';
import type { Vault } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import { afterStep, nextStep } from './keyring-rules.ts';
import type { KeyringStep, KeyringTimes } from './keyring-rules.ts';
import { keyringId } from './keyring.model.ts';
import type { KeyringDocument, KeyringReading, SigningKey } from './keyring.model.ts';
import type { Keyring } from './keyring.ts';
import { makeSigningKey } from './signing-key.ts';

/** What {@link createAdvanceKeyring} is given. */
export interface AdvanceKeyringDependencies {
  readonly keyrings: Pick<RecordedCollection<KeyringDocument>, 'update'>;
  readonly keyring: Pick<Keyring, 'refresh' | 'servedMs'>;
  readonly vault: Vault;
  readonly times: KeyringTimes;
  readonly logger: Pick<Logger, 'info'>;
}

/** More than can ever be due at once. */
const mostSteps = 8;

const keysAfter = async (
  reading: KeyringReading,
  step: KeyringStep,
  vault: Vault,
): Promise<{ readonly kid: string; readonly keys: readonly SigningKey[] }> => {
  if (step.change !== 'published') return { kid: step.kid, keys: afterStep(reading, step) };
  const made = { ...(await makeSigningKey(vault)), state: 'published', publishedAt: reading.at } as const;
  return { kid: made.kid, keys: [...reading.keys, made] };
};

/**
 * Has the keys take the steps that are due. Every replica tries, by what it has just read; a compare-and-set decides whose step it is, and
 * the others find that it is not due any more.
 *
 * @returns a job; it takes its cause and a signal that stops it, and gives the number of steps that it took
 */
export function createAdvanceKeyring({ keyrings, keyring, vault, times, logger }: AdvanceKeyringDependencies) {
  const due = (reading: KeyringReading) => nextStep(reading, times, (kid) => keyring.servedMs(kid));

  const advance = async (cause: Cause): Promise<'step' | 'nothing'> => {
    const reading = await keyring.refresh();
    if (due(reading) === undefined) return 'nothing';
    let taken: { readonly kid: string; readonly change: string } | undefined;
    const write = await keyrings.update(cause, keyringId, async (current) => {
      const then = { ...reading, keys: current.keys };
      const step = due(then);
      if (step === undefined) return undefined;
      const { kid, keys } = await keysAfter(then, step, vault);
      taken = { kid, change: step.change };
      return { state: { ...stateOf(current), keys }, event: draft(keyringChanged, taken) };
    });
    if (write?.event === undefined) return 'nothing';
    logger.info({ ...taken }, 'a signing key has taken its next step');
    return 'step';
  };

  return async (cause: Cause, signal: AbortSignal): Promise<number> => {
    let count = 0;
    while (count < mostSteps && !signal.aborted && (await advance(cause)) === 'step') count += 1;
    return count;
  };
}
