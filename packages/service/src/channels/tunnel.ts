import { Duplex } from 'node:stream';

/** What a tunnel does with what is written to it. */
export interface TunnelOptions {
  readonly send: (bytes: Uint8Array) => void;
  /** Once, when it is over at this end. */
  readonly onClose: () => void;
}

/** A connection of HTTP within a link: requests and their answers, which are small, so that nobody holds the other side up. */
export class Tunnel extends Duplex {
  readonly #options: TunnelOptions;
  /** The other side has. */
  #hasEnded = false;

  constructor(options: TunnelOptions) {
    super({ allowHalfOpen: false });
    this.#options = options;
    // Who reads it hears of it too; without anybody who does, it would end the process.
    this.on('error', () => undefined);
  }

  /** What has come from the other side; nothing where that has ended it. */
  arrive(bytes: Buffer): void {
    if (this.destroyed || this.#hasEnded) return;
    this.#hasEnded = bytes.length === 0;
    if (this.#hasEnded) this.endArrived();
    else this.push(bytes);
  }

  /** What has come before is read first. */
  protected endArrived(): void {
    this.push(null);
  }

  override _read(): void {
    // It is pushed what comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#options.send(chunk);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.onClose();
    done(error);
  }
}
