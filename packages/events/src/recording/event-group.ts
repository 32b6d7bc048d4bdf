/** Where an event stands among those that are recorded together: its `batchid`, `batchindex` and `batchsize`. */
export interface EventGroup {
  /** UUIDv7. */
  readonly id: string;
  /** From 0 on. */
  readonly index: number;
  /** Of all of them: what changes nothing records nothing, and does not count. */
  readonly size: number;
}

/** The envelope's attributes of a group. */
export const groupAttributes = (
  group: EventGroup | undefined,
): { readonly batchid?: string; readonly batchindex?: string; readonly batchsize?: string } => {
  if (group === undefined) return {};
  const { id, index, size } = group;
  if (index < 0 || index >= size) throw new TypeError(`a group of ${size} events has none at ${index}`);
  return { batchid: id, batchindex: String(index), batchsize: String(size) };
};
