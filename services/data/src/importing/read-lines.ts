/** A line of a stream. */
export interface Line {
  /** Counted from 1, empty lines too. */
  readonly number: number;
  /** Without its end; undefined where the line is longer than the limit. */
  readonly bytes: Buffer | undefined;
}

/** Many small pieces of a line become one: each takes some hundred bytes beside its own, and a client may send single ones. */
const mostParts = 256;
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
  let lengthBytes = 0;
  let number = 1;
  const take = (part: Buffer): void => {
    lengthBytes += part.length;
    if (lengthBytes <= limitBytes + 1) parts.push(part);
    else parts = [];
    if (parts.length >= mostParts) parts = [Buffer.concat(parts)];
  };
  const end = (): Line | undefined => {
    const whole = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const bytes = whole?.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    const isTooLong = lengthBytes > limitBytes + 1 || (bytes !== undefined && bytes.length > limitBytes);
    const line = { number, bytes: isTooLong ? undefined : bytes };
    number += 1;
    parts = [];
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
