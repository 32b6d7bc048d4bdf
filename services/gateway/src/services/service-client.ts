import { faults, services as serviceNames, type Fault, type ServiceName } from '@causeway/contracts';
import { formatPosition, laterOf, parseAfter } from '@causeway/events';
import { internalKeyHeader } from '@causeway/service';
import { clientSpans } from '@causeway/telemetry';
import { Pool, type Dispatcher } from 'undici';

/** What clients are made of. */
export interface ServiceClientOptions {
  /** Base URLs. */
  readonly urls: Readonly<Record<ServiceName, string>>;
  readonly internalKey: string;
}

/** A question to one service, about what it tells only its own kind. */
export interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly requestId?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks the services. */
export interface ServiceClient {
  /** @returns status and parsed JSON. @throws {@link ServiceAway} where it gave no answer, or a 5xx */
  ask(service: ServiceName, question: Question): Promise<{ readonly status: number; readonly json: unknown }>;
  /** At or after everything that the answers so far reflect; undefined before the first that says so. */
  position(): string | undefined;
  close(): Promise<void>;
}

/** A service gave no answer that can be used. */
export class ServiceAway extends Error {
  override readonly name = 'ServiceAway';
  readonly service: ServiceName;

  constructor(service: ServiceName, reason: string, cause?: unknown) {
    super(`${service}: ${reason}`, { cause });
    this.service = service;
  }

  /** What a caller is told where nothing can be said without this service. */
  toFault(): Fault {
    return faults.unavailable({ message: this.message, cause: this, retryAfterS: 1 });
  }
}

/** Without a service's word nothing can be said; that is its fault, not the caller's. */
export const orUnavailable = async <Value>(work: Promise<Value>): Promise<Value> => {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ServiceAway ? error.toFault() : error;
  }
};

const connections = 32;
const connectTimeoutMs = 2_000;
const defaultTimeoutMs = 5_000;
const idleConnectionMs = 30_000;
const largestAnswerBytes = 32 * 1_048_576;

const pathOf = ({ path, query = {} }: Question): string => {
  const given = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
};

const requestOf = (question: Question, internalKey: string): Dispatcher.RequestOptions => {
  const { method, body, requestId, timeoutMs = defaultTimeoutMs, signal } = question;
  const inTime = AbortSignal.timeout(timeoutMs);
  return {
    method,
    path: pathOf(question),
    headers: {
      [internalKeyHeader]: internalKey,
      ...(requestId !== undefined && { 'x-request-id': requestId }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: signal === undefined ? inTime : AbortSignal.any([signal, inTime]),
  };
};

/**
 * Makes the client for the services' internal calls; every question has a bound.
 *
 * @param options - addresses and the key that they share
 */
export const createServiceClient = ({ urls, internalKey }: ServiceClientOptions): ServiceClient => {
  const poolOf = (service: ServiceName): Dispatcher =>
    new Pool(urls[service], {
      connections,
      allowH2: false,
      connect: { timeout: connectTimeoutMs },
      keepAliveTimeout: idleConnectionMs,
      keepAliveMaxTimeout: idleConnectionMs,
      maxResponseSize: largestAnswerBytes,
    }).compose(clientSpans());
  const pools = new Map(serviceNames.map((service) => [service, poolOf(service)]));
  let reached: ReturnType<typeof parseAfter>;
  return {
    position: () => (reached === undefined ? undefined : formatPosition(reached)),
    ask: async (service, question) => {
      const pool = pools.get(service);
      if (pool === undefined) throw new Error(`${service} has no address`);
      try {
        const { statusCode, headers, body } = await pool.request(requestOf(question, internalKey));
        const text = await body.text();
        reached = laterOf(reached, parseAfter(headers['causeway-position']));
        if (statusCode >= 500) throw new ServiceAway(service, `answered ${statusCode}`);
        return { status: statusCode, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
      } catch (error) {
        question.signal?.throwIfAborted();
        throw error instanceof ServiceAway ? error : new ServiceAway(service, 'gave no answer', error);
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((each) => each.destroy()));
    },
  };
};
