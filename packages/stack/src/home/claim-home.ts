import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf, StackError } from '../stack-error.ts';
import { isAlive, type ProcessIdentity } from '../processes/identity.ts';
import type { Home } from './home.ts';
import { takeLock, type Lock, type LockHolder } from './lock.ts';

/** How long a platform whose `npm` has gone may take to end itself. */
const orphanPatienceMs = 40_000;

/** Somebody runs a platform in that home already. */
export class AlreadyRunning extends StackError {
  readonly holder: LockHolder;

  constructor(home: Home, holder: LockHolder) {
    super(
      `a platform is running in ${home.dir} already, since ${holder.since}, as pid ${holder.holder.pid}: ${holder.address}\n` +
        'npm run status shows it, npm run stop ends it.',
    );
    this.holder = holder;
  }
}

/**
 * Takes a home for this process. A platform whose `npm` has been killed ends itself within moments: it is waited for.
 *
 * @param address - what to tell whoever comes second
 * @param parent - the `npm` that started this process, if one did
 * @throws AlreadyRunning
 */
export async function claimHome(
  home: Home,
  address: string,
  parent: ProcessIdentity | undefined,
  say: (text: string) => void,
): Promise<Lock> {
  const until = performance.now() + orphanPatienceMs;
  let told = false;
  for (;;) {
    const lock = takeLock(home.lock, address, parent);
    if ('release' in lock) return lock;
    const isOrphan = lock.parent !== undefined && !isAlive(lock.parent);
    if (!isOrphan || performance.now() > until) throw new AlreadyRunning(home, lock);
    if (!told) {
      say(`the terminal of an earlier start has gone; ending that one (pid ${lock.holder.pid}) first`);
      terminate(lock.holder.pid);
    }
    told = true;
    await wait(100);
  }
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
