/**
 * What goes over a link, many frames a message. Numbers are unsigned, the highest byte first.
 *
 * | kind | by | after the byte that names it |
 * | --- | --- | --- |
 * | tunnel | both | tunnel (4 bytes), length (4), bytes: of a connection of HTTP; none where it has ended |
 * | tell | service | how many (4), length of what is shared (4), of each its channel (4) and the length of its own (4), what is shared, each own |
 * | end | service | channel (4): nothing more is told |
 * | cut | service | channel (4): nor will be what should have been |
 * | taken | caller | channel (4), how many tellings (4) |
 * | close | caller | channel (4): nobody reads it any more |
 */
const kinds = { tunnel: 1, tell: 2, end: 3, taken: 4, close: 5, cut: 6 } as const;

/** A frame as it is read. */
export type Frame =
  | { readonly kind: 'tunnel'; readonly tunnel: number; readonly bytes: Buffer }
  | {
      readonly kind: 'tell';
      readonly channels: readonly number[];
      readonly shared: Buffer;
      readonly own: readonly Buffer[];
    }
  | { readonly kind: 'end' | 'cut' | 'close'; readonly channel: number }
  | { readonly kind: 'taken'; readonly channel: number; readonly count: number };

/** The other side does not speak as agreed. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}

/** Reads from a message, and no further than it goes. */
class Reader {
  readonly #message: Buffer;
  #at = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  get rest(): number {
    return this.#message.length - this.#at;
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  number(): number {
    this.#demand(4);
    const value = this.#message.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  bytes(length: number): Buffer {
    this.#demand(length);
    const from = this.#at;
    this.#at += length;
    return this.#message.subarray(from, this.#at);
  }

  #demand(length: number): void {
    if (length > this.rest) throw new MalformedFrame('a frame is shorter than it says');
  }
}

const readTell = (reader: Reader): Frame => {
  const count = reader.number();
  const sharedLength = reader.number();
  if (count * 8 > reader.rest) throw new MalformedFrame('a frame is shorter than it says');
  const channels: number[] = [];
  const lengths: number[] = [];
  for (let index = 0; index < count; index += 1) {
    channels.push(reader.number());
    lengths.push(reader.number());
  }
  const shared = reader.bytes(sharedLength);
  return { kind: 'tell', channels, shared, own: lengths.map((length) => reader.bytes(length)) };
};

const readFrame = (reader: Reader): Frame => {
  switch (reader.byte()) {
    case kinds.tunnel: {
      const tunnel = reader.number();
      return { kind: 'tunnel', tunnel, bytes: reader.bytes(reader.number()) };
    }
    case kinds.tell:
      return readTell(reader);
    case kinds.end:
      return { kind: 'end', channel: reader.number() };
    case kinds.cut:
      return { kind: 'cut', channel: reader.number() };
    case kinds.taken:
      return { kind: 'taken', channel: reader.number(), count: reader.number() };
    case kinds.close:
      return { kind: 'close', channel: reader.number() };
    default:
      throw new MalformedFrame('there is no such kind of frame');
  }
};

/**
 * The frames of a message, as it has them. They share its memory.
 *
 * @throws MalformedFrame at the first that is none
 */
export function* framesOf(message: Buffer): Generator<Frame> {
  const reader = new Reader(message);
  while (reader.rest > 0) yield readFrame(reader);
}

/** What is told to channels in one frame. */
interface Telling {
  readonly shared: string;
  readonly channels: number[];
  readonly own: string[];
}

type Piece = Telling | { readonly kind: number; readonly numbers: readonly number[]; readonly bytes?: Uint8Array };

/** Gathers frames for one message. */
export interface FrameGatherer {
  /** About how long the message is. */
  readonly length: number;
  tunnel(tunnel: number, bytes: Uint8Array): void;
  /** What is told to one channel after the other with the same beginning goes once. */
  tell(channel: number, shared: string, own: string): void;
  end(channel: number): void;
  cut(channel: number): void;
  taken(channel: number, count: number): void;
  close(channel: number): void;
  /** The message, and begins another one. */
  take(): Buffer;
}

const isTelling = (piece: Piece): piece is Telling => 'shared' in piece;

const lengthOf = (piece: Piece): number => {
  if (!isTelling(piece)) return 1 + 4 * piece.numbers.length + (piece.bytes?.length ?? 0);
  const own = piece.own.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  return 9 + 8 * piece.channels.length + Buffer.byteLength(piece.shared) + own;
};

const writeTelling = (message: Buffer, from: number, { shared, channels, own }: Telling): number => {
  let at = message.writeUInt8(kinds.tell, from);
  at = message.writeUInt32BE(channels.length, at);
  at = message.writeUInt32BE(Buffer.byteLength(shared), at);
  for (const [index, channel] of channels.entries()) {
    at = message.writeUInt32BE(channel, at);
    at = message.writeUInt32BE(Buffer.byteLength(own[index] ?? ''), at);
  }
  at += message.write(shared, at);
  for (const each of own) at += message.write(each, at);
  return at;
};

const writePiece = (message: Buffer, from: number, piece: Piece): number => {
  if (isTelling(piece)) return writeTelling(message, from, piece);
  let at = message.writeUInt8(piece.kind, from);
  for (const number of piece.numbers) at = message.writeUInt32BE(number, at);
  if (piece.bytes !== undefined) {
    message.set(piece.bytes, at);
    at += piece.bytes.length;
  }
  return at;
};

/** Makes what gathers frames. */
export function gatherFrames(): FrameGatherer {
  let pieces: Piece[] = [];
  let last: Telling | undefined;
  let length = 0;
  const add = (kind: number, numbers: readonly number[], bytes?: Uint8Array): void => {
    last = undefined;
    pieces.push({ kind, numbers, ...(bytes !== undefined && { bytes }) });
    length += 1 + 4 * numbers.length + (bytes?.length ?? 0);
  };
  return {
    get length() {
      return length;
    },
    tunnel: (tunnel, bytes) => add(kinds.tunnel, [tunnel, bytes.length], bytes),
    tell(channel, shared, own) {
      if (last?.shared === shared) {
        last.channels.push(channel);
        last.own.push(own);
      } else {
        last = { shared, channels: [channel], own: [own] };
        pieces.push(last);
        length += 9 + shared.length;
      }
      length += 8 + own.length;
    },
    end: (channel) => add(kinds.end, [channel]),
    cut: (channel) => add(kinds.cut, [channel]),
    taken: (channel, count) => add(kinds.taken, [channel, count]),
    close: (channel) => add(kinds.close, [channel]),
    take() {
      const message = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + lengthOf(piece), 0));
      let at = 0;
      for (const piece of pieces) at = writePiece(message, at, piece);
      pieces = [];
      last = undefined;
      length = 0;
      return message;
    },
  };
}
