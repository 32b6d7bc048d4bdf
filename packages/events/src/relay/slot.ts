/** Kafka's murmur2 seed and constants: org.apache.kafka.common.utils.Utils.murmur2. */
const seed = 0x9747b28c;
const m = 0x5bd1e995;
const r = 24;

/**
 * Kafka's own hash of a key, so that a producer of any language puts a subject where we do.
 *
 * @returns a signed 32-bit integer
 */
export const murmur2 = (bytes: Uint8Array): number => {
  let h = seed ^ bytes.length;
  const whole = bytes.length - (bytes.length % 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += 4) {
    let k = Math.imul(view.getInt32(at, true), m);
    k = Math.imul(k ^ (k >>> r), m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = bytes.length - whole;
  if (rest === 3) h ^= (bytes[whole + 2] ?? 0) << 16;
  if (rest >= 2) h ^= (bytes[whole + 1] ?? 0) << 8;
  if (rest >= 1) h = Math.imul(h ^ (bytes[whole] ?? 0), m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
};

/**
 * The slot of a subject, which is its Kafka partition: `toPositive(murmur2(key)) % partitions`, as Kafka's default
 * partitioner has it.
 *
 * @param subject - such as `profile/usr_…`
 * @param slots - how many slots, and partitions, there are
 */
export const slotOf = (subject: string, slots: number): number =>
  (murmur2(Buffer.from(subject, 'utf8')) & 0x7fffffff) % slots;
