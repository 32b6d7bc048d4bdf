/** A line of a stream. */
export interface Line {
  /** Counted from 1, empty lines too. */
  readonly number: number;
  /** Without its end; undefined where the line is longer than the limit. */
  readonly bytes: Buffer | undefined;
}

/**
 * So many pieces of a line become one part of it: each takes some hundred bytes beside its own, and a client may send single ones. What is made of fewer
 * could lie in a slab of Node's, which would be held whole (half of `Buffer.poolSize`).
 */
const mostPieces = 4_096;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts a stream into lines at line feeds, without ever holding more than one line of the allowed length. Lines that are
 * empty, or white space alone, are passed over.
 *
 * @param chunks - of bytes
 * @param limitBytes - a longer line is read past, and given without its bytes
 */
export async function* readLines(chunks: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let pieces: Buffer[] = [];
  let lengthBytes = 0;
  let number = 1;
  const take = (part: Buffer): void => {
    lengthBytes += part.length;
    if (lengthBytes <= limitBytes + 1) pieces.push(part);
    else [parts, pieces] = [[], []];
    if (pieces.length < mostPieces) return;
    parts.push(Buffer.concat(pieces));
    pieces = [];
  };
  const end = (): Line | undefined => {
    parts.push(...pieces);
    const whole = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const bytes = whole?.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    const isTooLong = lengthBytes > limitBytes + 1 || (bytes !== undefined && bytes.length > limitBytes);
    const line = { number, bytes: isTooLong ? undefined : bytes };
    number += 1;
    parts = [];
    pieces = [];
    lengthBytes = 0;
    return line.bytes?.toString('latin1').trim() === '' ? undefined : line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, start)) {
      take(chunk.subarray(start, at));
      start = at + 1;
      const line = end();
      if (line !== undefined) yield line;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (lengthBytes === 0) return;
  const last = end();
  if (last !== undefined) yield last;
}
