import process from 'node:process';
import { homeAt } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { hasGone } from '../processes/end-process.ts';
import { endStrays } from '../processes/strays.ts';
import { StackError } from '../stack-error.ts';

/** The bounds of all children, one after the other, and some. */
const patienceMs = 120_000;

/**
 * Ends the platform of a home, and what a killed one has left behind.
 *
 * @throws StackError when it does not end
 */
export async function stopPlatform(homeDir: string, say: (text: string) => void): Promise<void> {
  const home = homeAt(homeDir);
  const running = lockHolder(home.lock);
  if (running !== undefined) {
    say(`stopping pid ${running.holder.pid}`);
    process.kill(running.holder.pid, 'SIGTERM');
    if (!(await hasGone(running.holder, patienceMs))) {
      throw new StackError(`pid ${running.holder.pid} has not ended after ${patienceMs / 1000} s`);
    }
  }
  const strays = await endStrays(home.children, say);
  say(running === undefined && strays.length === 0 ? `nothing is running in ${home.dir}` : 'stopped');
}
