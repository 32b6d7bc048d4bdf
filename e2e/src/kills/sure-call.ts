import { type Answer, call, type CallOptions } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { recoveryMs } from './survives.ts';

const patienceMs = 15_000;

/** Makes a call that may be made more than once, at one gateway and then the other, until it is answered with a status. */
export async function sureCall(
  gateways: readonly (string | undefined)[],
  method: string,
  path: string,
  options: CallOptions,
  status: number,
): Promise<Answer> {
  let turn = 0;
  return eventually(
    async () => {
      const at = gateways[turn++ % gateways.length];
      return expectStatus(
        await call(method, path, { ...options, at, signal: AbortSignal.timeout(patienceMs) }),
        status,
      );
    },
    { withinMs: recoveryMs, everyMs: 200 },
  );
}
