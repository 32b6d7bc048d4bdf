import { services as serviceNames } from '@causeway/contracts';
import type { ReadinessCheck } from '@causeway/service';

import type { ServiceClient } from './service-client.ts';

/** An answer is kept so long: whoever asks the gateway often does not ask the services as often. */
const keptMs = 1_000;
const timeoutMs = 900;

const kept = (check: () => Promise<boolean>, now: () => number): ReadinessCheck => {
  let last: { readonly at: number; readonly answer: Promise<boolean> } | undefined;
  return () => {
    if (last === undefined || now() - last.at > keptMs) last = { at: now(), answer: check() };
    return last.answer;
  };
};

/**
 * Whether each service takes traffic. One that does not must not take the others down: the gateway only names it.
 *
 * @param client - asks them
 */
export const serviceReadiness = (
  client: ServiceClient,
  now: () => number = () => performance.now(),
): Readonly<Record<string, ReadinessCheck>> =>
  Object.fromEntries(
    serviceNames.map((service) => [
      service,
      kept(
        () =>
          client.ask(service, { method: 'GET', path: '/readyz', timeoutMs }).then(
            ({ status }) => status === 200,
            () => false,
          ),
        now,
      ),
    ]),
  );
