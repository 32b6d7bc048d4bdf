import { checkCauses } from './check-causes.ts';
import { checkCommands } from './check-commands.ts';
import { checkEffects } from './check-effects.ts';
import { checkLoss } from './check-loss.ts';
import { checkOrder } from './check-order.ts';
import { checkPhantoms } from './check-phantoms.ts';
import type { History, Violation } from './history.ts';

/** Holds everything that is left of a run against what is promised of every service. */
export const checkAll = (history: History): Violation[] => [
  ...checkLoss(history),
  ...checkCommands(history),
  ...checkPhantoms(history),
  ...checkOrder(history),
  ...checkEffects(history),
  ...checkCauses(history),
];
