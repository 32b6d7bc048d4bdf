import { homeAt } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { isAlive } from '../processes/identity.ts';
import { residentBytes } from '../processes/process-table.ts';
import { recordedChildren } from '../processes/strays.ts';
import { megabytes } from '../report.ts';
import { columns } from './table.ts';

export interface StackStatus {
  /** Everything runs and is ready. */
  readonly healthy: boolean;
  readonly text: string;
}

/** @returns what runs in a home */
export function stackStatus(homeDir: string): StackStatus {
  const home = homeAt(homeDir);
  const holder = lockHolder(home.lock);
  const children = recordedChildren(home.children);
  if (holder === undefined) {
    const strays = children.filter(({ identity }) => identity !== undefined && isAlive(identity));
    if (strays.length === 0) return { healthy: false, text: `nothing is running in ${home.dir}` };
    const names = strays.map(({ name }) => name).join(', ');
    return { healthy: false, text: `the last start was killed, and left behind: ${names}; npm run stop ends them` };
  }
  const rows = children.map(({ name, state, identity, address, restarts }) => [
    name,
    state,
    identity === undefined ? '' : `pid ${identity.pid}`,
    identity === undefined ? '' : megabytes(residentBytes(identity.pid)),
    restarts === 0 ? '' : `started again ${restarts} times`,
    address,
  ]);
  const head = `running in ${home.dir} since ${holder.since}, pid ${holder.holder.pid}: ${holder.address}`;
  return {
    healthy: children.length > 0 && children.every(({ state }) => state === 'ready'),
    text: `${head}\n${columns(rows)}`,
  };
}
