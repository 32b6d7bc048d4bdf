import { Fault } from '@causeway/contracts';

/** Events wait to be published, or a write that is under way to end, and with them whoever needs that to go on: nothing is wrong with what was asked for. */
export class HeldUp extends Error {
  override readonly name = 'HeldUp';
}

/** Whether something passes by itself once the relay, or another write, gets on, so that it is to be waited for rather than given up. */
export const isHeldUp = (error: unknown): boolean =>
  error instanceof HeldUp || (error instanceof Fault && error.cause !== undefined && isHeldUp(error.cause));
