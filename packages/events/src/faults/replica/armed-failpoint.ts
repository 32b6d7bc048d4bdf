import process from 'node:process';

import type { Failpoint, FailpointName } from '../../failpoint.ts';
import type { FailpointAction } from './protocol.ts';

/** A failpoint that a test sets. */
export interface ArmedFailpoint {
  readonly failpoint: Failpoint;
  /** At the next call of that name after so many others. */
  arm(name: FailpointName, action: FailpointAction, after: number): void;
  /** Lets go whoever is held, and holds and kills nobody any more. */
  disarm(): void;
}

/** @param onHeld - told when somebody came to a failpoint and is held there */
export const armedFailpoint = (onHeld: (name: FailpointName) => void): ArmedFailpoint => {
  let armed: { readonly name: FailpointName; readonly action: FailpointAction; left: number } | undefined;
  let release: (() => void) | undefined;
  return {
    failpoint(name) {
      if (armed?.name !== name) return;
      armed.left -= 1;
      if (armed.left >= 0) return;
      if (armed.action === 'kill') process.kill(process.pid, 'SIGKILL');
      armed = undefined;
      onHeld(name);
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
    arm(name, action, after) {
      armed = { name, action, left: after };
    },
    disarm() {
      armed = undefined;
      release?.();
    },
  };
};
