/** So many messages, pings among them, may come within ten seconds: a client that begins anew sends one for each subscription. */
const mostMessages = 300;
const windowMs = 10_000;

/** Counts what comes over one socket. @returns whether one more may come now */
export function createMessageBudget(clock: () => number = () => performance.now()): () => boolean {
  let begun = clock();
  let count = 0;
  return () => {
    const now = clock();
    if (now - begun >= windowMs) [begun, count] = [now, 0];
    count += 1;
    return count <= mostMessages;
  };
}
