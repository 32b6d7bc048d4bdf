/** A door that a handler waits at. Whoever gives up while it is shut goes away with an error. */
export const createDoor = () => {
  const opened = Promise.withResolvers<undefined>();
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    open: () => opened.resolve(undefined),
    async pass(signal: AbortSignal): Promise<void> {
      waiting += 1;
      const gone = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('told to give up')), { once: true });
      });
      await Promise.race([opened.promise, gone]);
    },
  };
};
