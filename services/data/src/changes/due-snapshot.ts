/** Whether a feed is to be sent a snapshot, for whoever sends it. */
export class DueSnapshot {
  #isAwaited = false;
  #hasEnded = false;
  #wake: (() => void) | undefined;
  #toldLate: Promise<void> | undefined;

  /** Nothing else is told until it has been sent. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  ask(): void {
    this.#isAwaited = true;
    this.#wake?.();
  }

  /**
   * Learns that the feed is told what it had no room for, as its reader takes it: no snapshot is sent meanwhile.
   *
   * @param telling - is never rejected
   */
  followTelling(telling: Promise<void>): void {
    this.#toldLate = telling;
  }

  /** Waits until it is due, or the feed has ended, and takes it that it is seen to. */
  async wait(): Promise<void> {
    if (!this.#isAwaited && !this.#hasEnded) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#wake = () => resolve(undefined);
      await promise;
    }
    // That stops where a snapshot is due.
    await this.#toldLate;
    this.#isAwaited = false;
  }

  /** The feed has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }
}
