/**
 * A wall clock that can be set wrong, for everything in this process: `new Date()` and `Date.now()`. Timers and
 * `performance.now()` go on as they do when an administrator, or NTP, sets a machine's clock.
 *
 * @returns sets how far it is off, in milliseconds; 0 makes it right again
 */
export const shiftClock = (): ((skewMs: number) => void) => {
  const Real = Date;
  let skewMs = 0;
  const now = (): number => Real.now() + skewMs;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new Real(now()).toString(),
    get: (target, property) => (property === 'now' ? now : (Reflect.get(target, property) as unknown)),
  });
  return (ms) => {
    skewMs = ms;
  };
};
