import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** What a browser and an authenticator would have said. */
export interface SoftOptions {
  readonly origin: string;
  readonly rpId: string;
  /** Whether it has verified who holds it. */
  readonly isVerified: boolean;
  /** How often it was used, as it says; undefined: one more than before. */
  readonly counter: number | undefined;
  /** What the browser says is being done. */
  readonly type: string;
  readonly challenge: string;
  /** Whether it can be synchronised: then it counts nothing. */
  readonly isSynchronised: boolean;
  /** Whose passkey it says it is; undefined: who it was registered for. */
  readonly userHandle: string | undefined;
  /** Which passkey it says it is; undefined: its own. It signs with its own key in any case. */
  readonly credentialId: string | undefined;
}

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest();

/** CBOR (RFC 8949) of what is needed here: a head with its argument, below 65,536. */
const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  return value < 256
    ? Buffer.from([(major << 5) | 24, value])
    : Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
};
const integer = (value: number): Buffer => (value < 0 ? head(1, -1 - value) : head(0, value));
const bytesOf = (bytes: Uint8Array): Buffer => Buffer.concat([head(2, bytes.length), bytes]);
const textOf = (text: string): Buffer => Buffer.concat([head(3, text.length), Buffer.from(text)]);
const mapOf = (...pairs: (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([head(5, pairs.length), ...pairs.flat()]);

interface Options {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}

/**
 * An authenticator of software, with one passkey (ES256), and the browser before it: it answers what the options of a ceremony ask for, or
 * what a test says instead.
 */
export class SoftAuthenticator {
  readonly credentialId = b64(randomBytes(32));
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #usual: Pick<SoftOptions, 'origin' | 'rpId' | 'isSynchronised'>;
  #counter = 0;
  #userHandle: string | undefined;

  /** @param usual - where it is used */
  constructor({ origin, rpId, isSynchronised = false }: Partial<SoftOptions> & Pick<SoftOptions, 'origin' | 'rpId'>) {
    this.#usual = { origin, rpId, isSynchronised };
  }

  /** Answers to being registered. */
  register(options: Options, instead: Partial<SoftOptions> = {}) {
    const said = this.#say(options, 'webauthn.create', instead);
    this.#userHandle = options.user?.id;
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    const coordinate = (text: string) => bytesOf(Buffer.from(text, 'base64url'));
    const key = mapOf(
      [integer(1), integer(2)],
      [integer(3), integer(-7)],
      [integer(-1), integer(1)],
      [integer(-2), coordinate(x)],
      [integer(-3), coordinate(y)],
    );
    const id = Buffer.from(this.credentialId, 'base64url');
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([id.length >> 8, id.length & 255]), id, key]);
    const data = this.#data(said, attested);
    const attestationObject = mapOf(
      [textOf('fmt'), textOf('none')],
      [textOf('attStmt'), mapOf()],
      [textOf('authData'), bytesOf(data)],
    );
    return this.#credential({
      clientDataJSON: b64(this.#clientData(said)),
      attestationObject: b64(attestationObject),
      transports: ['internal'],
    });
  }

  /** Answers to being used. */
  use(options: Options, instead: Partial<SoftOptions> = {}) {
    const said = this.#say(options, 'webauthn.get', instead);
    const [clientData, data] = [this.#clientData(said), this.#data(said)];
    const signature = sign('sha256', Buffer.concat([data, sha256(clientData)]), this.#keys.privateKey);
    return this.#credential(
      {
        clientDataJSON: b64(clientData),
        authenticatorData: b64(data),
        signature: b64(signature),
        userHandle: said.userHandle ?? this.#userHandle,
      },
      said.credentialId,
    );
  }

  #say({ challenge }: Options, type: string, instead: Partial<SoftOptions>): SoftOptions {
    const nothing = { counter: undefined, userHandle: undefined, credentialId: undefined };
    const said = { ...this.#usual, ...nothing, isVerified: true, type, challenge, ...instead };
    this.#counter = said.counter ?? (said.isSynchronised ? 0 : this.#counter + 1);
    return { ...said, counter: this.#counter };
  }

  #credential<Response>(response: Response, id = this.credentialId) {
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} };
  }

  #clientData({ type, challenge, origin }: SoftOptions): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  /** Authenticator data (WebAuthn Level 3 §6.1): user present, user verified, backup eligible, attested. */
  #data({ rpId, isVerified, isSynchronised, counter = 0 }: SoftOptions, attested?: Buffer): Buffer {
    const flags = 0x01 | (isVerified ? 0x04 : 0) | (isSynchronised ? 0x08 : 0) | (attested === undefined ? 0 : 0x40);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count, attested ?? Buffer.alloc(0)]);
  }
}
