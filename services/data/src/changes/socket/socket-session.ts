import type { Fault } from '@causeway/contracts';
import { parseJson, validateBody } from '@causeway/service';
import type { AccessClaims, Problem, RawData, WebSocket } from '@causeway/service';

import { callerOf } from '../../rules/caller.ts';
import type { FeedHub } from '../feed-hub.ts';
import type { OpenFeed, Subscriber } from '../open-feed.ts';
import type { SocketTimes } from './heartbeat.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createMessageBudget } from './message-budget.ts';
import type { Outlet } from './outlet.ts';
import { createOutlet } from './outlet.ts';
import type { ClientMessage } from './protocol.ts';
import { clientMessage, closeCodes, longestId } from './protocol.ts';
import { callerChanged } from './socket.errors.ts';
import { mostUnsentOfAllBytes } from './socket-writer.ts';
import type { Subscriptions } from './subscriptions.ts';
import { createSubscriptions, mostSubscriptions } from './subscriptions.ts';

/** What {@link serveSocket} is given. */
export interface SocketSessionOptions {
  readonly openFeed: OpenFeed;
  readonly hub: Pick<FeedHub, 'watch'>;
  /** Verifies a token. @throws Fault `unauthenticated`, `unavailable` */
  readonly authenticate: (token: string) => Promise<AccessClaims>;
  /** What the handshake was sent with. */
  readonly token: AccessClaims | undefined;
  /** Takes a place among the caller's. @throws Fault */
  readonly hold: (token: AccessClaims | undefined) => () => void;
  /** What a client is told of an error; what is ours is logged. */
  readonly faultOf: (error: unknown) => Fault;
  readonly problemOf: (fault: Fault) => Problem;
  /** Aborted when the service begins to shut down. */
  readonly draining: AbortSignal;
  readonly times: SocketTimes;
}

/** What may wait to be read: a client says hello and subscribes at once, before it is known who it is. */
const mostWaitingBytes = 262_144;

const subscriberOf = (token: AccessClaims | undefined): Subscriber => ({
  token,
  principal: token === undefined ? undefined : { type: 'app_user', id: token.sub },
});

/** Messages come in one piece, as `ws` gives them where nothing else is set. */
const bytesOf = (data: RawData): Buffer => (Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer));

/** What subscription a message is about, as far as it says, for where it is refused. */
const idOf = (json: unknown): string | undefined => {
  const { id } = (json ?? {}) as { readonly id?: unknown };
  return typeof id === 'string' && id.length <= longestId ? id : undefined;
};

class SocketSession {
  readonly #socket: WebSocket;
  readonly #options: SocketSessionOptions;
  readonly #outlet: Outlet;
  readonly #subscriptions: Subscriptions;
  readonly #mayCome = createMessageBudget();
  #waitingBytes = 0;
  #token: AccessClaims | undefined;
  #hasGreeted = false;
  #isClosing = false;
  #unwatch: () => void = () => undefined;

  constructor(socket: WebSocket, options: SocketSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#token = options.token;
    this.#outlet = createOutlet(socket);
    this.#subscriptions = createSubscriptions({
      openFeed: options.openFeed,
      outlet: this.#outlet,
      hold: () => options.hold(this.#token),
      refuse: (id, error) => this.#tellError(error, id),
    });
    this.#watch();
  }

  async run(): Promise<void> {
    const socket = this.#socket;
    const { draining, times } = this.#options;
    const late = setTimeout(() => this.#close(closeCodes.silent, 'hello-late'), times.helloMs);
    const stopHeartbeat = startHeartbeat(socket, times, () => {
      this.#close(closeCodes.silent, 'no-pong');
      // It would not answer this either.
      socket.terminate();
    });
    const drain = (): void => this.#close(closeCodes.shutdown, 'shutdown');
    if (draining.aborted) drain();
    else draining.addEventListener('abort', drain, { once: true });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    /** One after the other: what comes while a token is verified waits. */
    let turn = Promise.resolve();
    socket.on('message', (data, isBinary) => {
      if (!this.#admit()) return;
      if (isBinary) {
        this.#close(closeCodes.binary, 'binary');
        return;
      }
      const message = bytesOf(data);
      this.#waitingBytes += message.length;
      if (this.#waitingBytes > mostWaitingBytes) {
        this.#close(closeCodes.flooding, 'too-much-waits');
        return;
      }
      turn = turn.then(async () => {
        this.#waitingBytes -= message.length;
        await this.#take(message);
        if (this.#hasGreeted) clearTimeout(late);
      });
    });
    socket.on('ping', (data) => {
      if (this.#admit()) socket.pong(data);
    });
    socket.on('pong', () => void this.#admit());
    try {
      await closed;
    } finally {
      this.#isClosing = true;
      clearTimeout(late);
      stopHeartbeat();
      draining.removeEventListener('abort', drain);
      this.#unwatch();
      await this.#subscriptions.cut();
    }
  }

  /** @returns false where nothing more is listened to */
  #admit(): boolean {
    if (this.#isClosing) return false;
    // Who takes no answers gets none that wait for them.
    if (this.#mayCome() && this.#outlet.unsentBytes <= 2 * mostUnsentOfAllBytes) return true;
    this.#close(closeCodes.flooding, 'too-many-messages');
    return false;
  }

  async #take(data: Buffer): Promise<void> {
    if (this.#isClosing) return;
    let id: string | undefined;
    try {
      const json = parseJson(data);
      id = idOf(json);
      const message = validateBody(clientMessage, json) as ClientMessage;
      if (message.type === 'hello') await this.#greet(message.token);
      else if (this.#hasGreeted) this.#do(message);
      else this.#close(closeCodes.badMessage, 'hello-first');
    } catch (error) {
      this.#tellError(error, id);
      if (!this.#hasGreeted) this.#close(closeCodes.badMessage, 'hello-first');
    }
  }

  #do(message: Exclude<ClientMessage, { type: 'hello' }>): void {
    if (message.type === 'ping') this.#send({ type: 'pong' });
    else if (message.type === 'unsubscribe') this.#subscriptions.remove(message.id);
    else this.#subscriptions.add(message, subscriberOf(this.#token));
  }

  async #greet(text: string | undefined): Promise<void> {
    const token = text === undefined ? this.#token : await this.#verify(text);
    if (this.#isClosing) return;
    const isOther = JSON.stringify(callerOf(token)) !== JSON.stringify(callerOf(this.#token));
    if (isOther && this.#subscriptions.size > 0) {
      this.#tellError(callerChanged());
      this.#close(closeCodes.notSignedIn, 'caller-changed');
      return;
    }
    this.#hasGreeted = true;
    this.#token = token;
    this.#watch();
    const expiresAt = token === undefined ? undefined : new Date(token.exp * 1_000).toISOString();
    const heartbeatS = this.#options.times.heartbeatMs / 1_000;
    this.#send({ type: 'welcome', sub: token?.sub, expiresAt, heartbeatS, subscriptions: mostSubscriptions });
  }

  /** @returns undefined where the socket is closed over it */
  async #verify(text: string): Promise<AccessClaims | undefined> {
    try {
      return await this.#options.authenticate(text);
    } catch (error) {
      const fault = this.#tellError(error);
      const isBad = fault.category === 'unauthenticated';
      this.#close(isBad ? closeCodes.notSignedIn : closeCodes.tryAgain, isBad ? 'token-invalid' : 'unsure');
      return undefined;
    }
  }

  /** Ends with the token that it is listened with now. */
  #watch(): void {
    this.#unwatch();
    const end = (_event: 'end', reason: string): void =>
      this.#close(reason === 'unsure' ? closeCodes.tryAgain : closeCodes.notSignedIn, reason);
    this.#unwatch = this.#options.hub.watch({ token: this.#token, end });
  }

  #close(code: number, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#unwatch();
    this.#subscriptions.endAll(reason);
    this.#socket.close(code, reason);
  }

  #tellError(error: unknown, id?: string): Fault {
    const fault = this.#options.faultOf(error);
    this.#send({ type: 'error', id, problem: this.#options.problemOf(fault) });
    return fault;
  }

  #send(message: object): void {
    this.#outlet.send(JSON.stringify(message));
  }
}

/**
 * Serves one socket: a greeting, then feeds as its client subscribes to them, until either side closes it, its token ends, or it falls
 * silent.
 *
 * @returns when it has closed, and nothing is left of it
 */
export const serveSocket = (socket: WebSocket, options: SocketSessionOptions): Promise<void> =>
  new SocketSession(socket, options).run();
