import { services as serviceNames, type ServiceName } from '@causeway/contracts';
import { allowedMethods, type OpenApiPart, type ProblemDescription } from '@causeway/service';
import type { Logger } from '@causeway/telemetry';

import type { ServiceClient } from '../services/service-client.ts';
import { assemble } from './assemble.ts';
import { jsonDocument, type JsonDocument } from './json-document.ts';

/** The document as it is served. */
export interface AssembledDocument extends JsonDocument {
  /** By code. */
  readonly problems: ReadonlyMap<string, ProblemDescription>;
  /** The methods at a raw path, in capitals; none where there is no such path. */
  readonly methodsAt: (path: string) => readonly string[];
}

/** What the document is made from. */
export interface ApiDocumentOptions {
  readonly client: ServiceClient;
  /** The gateway's own part. */
  readonly own: () => OpenApiPart;
  readonly logger: Logger;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
}

/** A service that was started anew may offer more: asked again so often, when anybody asks. */
const freshMs = 2_000;
const askTimeoutMs = 1_500;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** The document of all services: what each said last, even while it is down. */
export class ApiDocument {
  readonly #options: ApiDocumentOptions;
  readonly #now: () => number;
  readonly #parts = new Map<ServiceName, OpenApiPart>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #assembled: AssembledDocument | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ApiDocumentOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Begins to ask, until every service has answered once: what is known then outlives a service. */
  start(pauseMs = firstPauseMs): void {
    void this.#refresh().then(() => {
      if (this.#parts.size === serviceNames.length) return;
      const next = Math.min(pauseMs * 2, longestPauseMs);
      this.#retry = setTimeout(() => this.start(next), pauseMs * (0.5 + Math.random() / 2)).unref();
    });
  }

  stop(): void {
    clearTimeout(this.#retry);
  }

  /** The document, at most two seconds behind the services that answer. */
  async current(): Promise<AssembledDocument> {
    if (this.#now() - this.#askedAt > freshMs) await this.#refresh();
    this.#assembled ??= this.#assemble();
    return this.#assembled;
  }

  #refresh(): Promise<void> {
    this.#asking ??= this.#askAll().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askAll(): Promise<void> {
    await Promise.all(serviceNames.map((service) => this.#ask(service)));
    this.#askedAt = this.#now();
    this.#assembled = undefined;
  }

  async #ask(service: ServiceName): Promise<void> {
    const { client, logger } = this.#options;
    try {
      const question = { method: 'GET', path: '/internal/openapi.json', timeoutMs: askTimeoutMs } as const;
      const { status, json } = await client.ask(service, question);
      if (status === 200) this.#parts.set(service, json as OpenApiPart);
      else logger.warn({ service, status }, 'a service does not say what it offers');
    } catch (error) {
      logger.debug({ error, service }, 'a service does not answer: what it said last stands');
    }
  }

  #assemble(): AssembledDocument {
    const inOrder = serviceNames.map((service) => this.#parts.get(service)).filter((part) => part !== undefined);
    const { document, problems, operations } = assemble([...inOrder, this.#options.own()]);
    return { ...jsonDocument(document), problems, methodsAt: allowedMethods(operations) };
  }
}
