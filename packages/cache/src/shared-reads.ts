/** Reads that are the same go together, and each still begins after it was asked for. */
export type SharedReads<Value> = (key: string, read: () => Promise<Value>) => Promise<Value>;

/** A read that is under way, and the one that follows it. */
interface Flight<Value> {
  readonly current: Promise<unknown>;
  next: Promise<Value> | undefined;
}

/**
 * Makes it. Who asks while the same is being read may not be given that: it may have been read before what the caller has written since.
 * So all of them wait for one read that begins when it ends; thousands who ask at once make two.
 */
export function createSharedReads<Value>(): SharedReads<Value> {
  const flights = new Map<string, Flight<Value>>();

  const begin = (key: string, read: () => Promise<Value>): Promise<Value> => {
    const current = read();
    const flight: Flight<Value> = { current, next: undefined };
    flights.set(key, flight);
    const end = (): void => {
      if (flights.get(key) === flight && flight.next === undefined) flights.delete(key);
    };
    current.then(end, end);
    return current;
  };

  return (key, read) => {
    const flight = flights.get(key);
    if (flight === undefined) return begin(key, read);
    flight.next ??= flight.current.then(
      () => begin(key, read),
      () => begin(key, read),
    );
    return flight.next;
  };
}
