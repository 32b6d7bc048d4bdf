import type { Fault } from '../fault.ts';
import type { FailpointName } from '../../failpoint.ts';
import { readyReplicas } from './ready-replicas.ts';

/** A replica that holds no slot, or no partition, does not come by. One that does may take this long where the machine is busy. */
const reachMs = 20_000;
const readyMs = 60_000;

/** SIGKILL at a failpoint: the process ends there, and learns nothing of it. */
export const killAt = (name: string, failpoint: FailpointName, about: string): Fault => ({
  name,
  about: `SIGKILL ${about} (failpoint ${failpoint})`,
  async inject({ fleet, random, short, note, progress }) {
    let killed = 0;
    const wanted = short ? 2 : 5;
    for (let tries = 0; killed < wanted && tries < 3 * wanted; tries += 1) {
      const [victim] = await readyReplicas({ fleet, random });
      const { starts } = victim;
      victim.tell({ do: 'arm', failpoint, action: 'kill', after: random.below(10) });
      if (await victim.untilEnded(starts, reachMs)) killed += 1;
      else victim.tell({ do: 'disarm' });
      if (random.chance(50)) await victim.untilReady(readyMs);
      await progress(5);
    }
    if (killed === 0) throw new Error(`no replica has come to the failpoint ${failpoint}`);
    note(`${killed} killed`);
  },
  heal: ({ fleet }) => fleet.untilReady(readyMs),
});
