/**
 * What went wrong, in the words that every service shares.
 *
 * A feature declares its errors with {@link defineFault}; the category alone decides the HTTP status and, where an event
 * handler fails, whether trying again can help.
 */

/** How a category behaves at the edges of a service. */
export interface CategoryBehaviour {
  /** HTTP status (RFC 9110). */
  readonly status: number;
  /** Whether the same attempt may succeed later without anybody changing anything. */
  readonly transient: boolean;
  /** The public title where a fault declares none. */
  readonly title: string;
}

/** Every category and what it means: the one map from category to HTTP status and to a consumer's decision. */
export const faultCategories = {
  'invalid-request': { status: 400, transient: false, title: 'The request is not valid' },
  unauthenticated: { status: 401, transient: false, title: 'Sign in first' },
  forbidden: { status: 403, transient: false, title: 'This is not allowed' },
  'not-found': { status: 404, transient: false, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, transient: false, title: 'This method is not allowed here' },
  'not-acceptable': { status: 406, transient: false, title: 'No representation is acceptable' },
  conflict: { status: 409, transient: true, title: 'The request conflicts with the current state' },
  'precondition-failed': { status: 412, transient: false, title: 'It has changed since you read it' },
  'payload-too-large': { status: 413, transient: false, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, transient: false, title: 'This media type is not supported here' },
  unprocessable: { status: 422, transient: false, title: 'The request cannot be processed' },
  'too-many-requests': { status: 429, transient: true, title: 'Too many requests' },
  internal: { status: 500, transient: true, title: 'Something went wrong on our side' },
  'bad-gateway': { status: 502, transient: true, title: 'A service behind the gateway gave no valid answer' },
  unavailable: { status: 503, transient: true, title: 'The service cannot answer right now' },
  timeout: { status: 504, transient: true, title: 'A service took too long to answer' },
} as const satisfies Record<string, CategoryBehaviour>;

/** The kind of a fault; also the problem code where a feature declares none of its own. */
export type FaultCategory = keyof typeof faultCategories;

/** One fault inside a request: where, which, and what to do. */
export interface FaultLocation {
  /** JSON pointer into the body (RFC 6901), such as `/rules/read/0`; `''` is the whole body. */
  readonly pointer?: string;
  /** Name of the query, path or header parameter, where the fault is not in the body. */
  readonly parameter?: string;
  readonly code: string;
  /** A sentence for a person. */
  readonly message: string;
}

/** What one occurrence adds to its declaration. */
export interface FaultOptions {
  /** Public: a sentence about this occurrence. Left out for 5xx, which say the same thing to everybody. */
  readonly detail?: string;
  /** Public: each fault in the request. */
  readonly errors?: readonly FaultLocation[];
  /** Public: whole seconds after which a new attempt makes sense; answered as `Retry-After`. */
  readonly retryAfterS?: number;
  /** Public: further response headers, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Public: further members of the problem document (RFC 9457 §3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /**
   * Public, in a 5xx too: how much of the call is done, and stays so, as counts of what the caller has sent; the member `progress` of the
   * problem document. Numbers, so that nothing from inside can be said by it.
   */
  readonly progress?: Readonly<Record<string, number>> | undefined;
  /** Internal: for the log, never for the caller. */
  readonly message?: string;
  /** Internal: what caused it. */
  readonly cause?: unknown;
}

/** A fault as a feature declares it. */
export interface FaultDeclaration {
  /** Stable, kebab-case; part of the problem's `type` URL. */
  readonly code: string;
  readonly category: FaultCategory;
  /** Public, the same for every occurrence. */
  readonly title: string;
  /** Public: for the page behind the problem's `type`: what it means and what to do. */
  readonly description: string;
}

/** An error that knows what it may say in public. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly declaration: FaultDeclaration;
  readonly detail: string | undefined;
  readonly errors: readonly FaultLocation[];
  readonly retryAfterS: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly progress: Readonly<Record<string, number>> | undefined;

  /**
   * @param declaration - what the feature declared
   * @param options - what this occurrence adds
   */
  constructor(declaration: FaultDeclaration, options: FaultOptions = {}) {
    super(options.message ?? options.detail ?? declaration.title, { cause: options.cause });
    this.declaration = declaration;
    this.detail = options.detail;
    this.errors = options.errors ?? [];
    this.retryAfterS = options.retryAfterS;
    this.headers = options.headers ?? {};
    this.extensions = options.extensions ?? {};
    this.progress = options.progress;
  }

  /** The stable code, such as `email-taken`. */
  get code(): string {
    return this.declaration.code;
  }

  /** The category, such as `conflict`. */
  get category(): FaultCategory {
    return this.declaration.category;
  }

  /** The HTTP status of the category. */
  get status(): number {
    return faultCategories[this.declaration.category].status;
  }
}

/** Makes a {@link Fault} of one declaration; carries the declaration so that routes can list it. */
export interface FaultFactory {
  (options?: FaultOptions): Fault;
  readonly declaration: FaultDeclaration;
}

/**
 * Declares an error of a feature.
 *
 * @param declaration - code, category, public title and description
 * @returns a function that makes the error; throw what it returns
 */
export const defineFault = (declaration: FaultDeclaration): FaultFactory =>
  Object.assign((options?: FaultOptions) => new Fault(declaration, options), { declaration });

const generic = (category: FaultCategory, description: string): FaultFactory =>
  defineFault({ code: category, category, title: faultCategories[category].title, description });

/** The generic faults: one a category, and named as that is. */
export const faults = {
  invalidRequest: generic(
    'invalid-request',
    'The request is malformed or holds values that are not allowed. Each entry of `errors` names a place and what to do about it.',
  ),
  unauthenticated: generic(
    'unauthenticated',
    'The call needs a valid access token in the Authorization header. Sign in, or refresh the token, and try again.',
  ),
  forbidden: generic('forbidden', 'You are signed in, but may not do this.'),
  notFound: generic('not-found', 'It does not exist, or you may not see it.'),
  methodNotAllowed: generic('method-not-allowed', 'The Allow header lists the methods that this path takes.'),
  notAcceptable: generic('not-acceptable', 'The Accept header names no media type that this call can answer with.'),
  conflict: generic('conflict', 'Somebody else changed the same thing at the same time. Read it again and retry.'),
  preconditionFailed: generic(
    'precondition-failed',
    'The If-Match header names a revision that is no longer current. Read the current one, apply your change to it, and send its ETag.',
  ),
  payloadTooLarge: generic('payload-too-large', 'The body is larger than this call takes.'),
  unsupportedMediaType: generic(
    'unsupported-media-type',
    'Send a media type that this call takes, and name it in the Content-Type header.',
  ),
  unprocessable: generic('unprocessable', 'The request is well-formed, but cannot be carried out as it is.'),
  tooManyRequests: generic('too-many-requests', 'Wait for the number of seconds in Retry-After and try again.'),
  internal: generic(
    'internal',
    'The fault is ours and has been logged. Try again; if it stays, report the request id of the answer.',
  ),
  badGateway: generic(
    'bad-gateway',
    'A service behind the gateway could not be reached or gave no valid answer. Try again.',
  ),
  unavailable: generic('unavailable', 'Try again after the number of seconds in Retry-After.'),
  timeout: generic(
    'timeout',
    'The outcome is unknown. Repeat a write with the same Idempotency-Key, or read before you write.',
  ),
} as const;
