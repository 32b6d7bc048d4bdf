import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { faults } from '@causeway/contracts';
import { createLogger } from '@causeway/telemetry';
import { Pool, type Dispatcher } from 'undici';
import { z } from 'zod';

import type { Channel } from '../channels/channel.ts';
import { createLinkPool } from '../channels/link-pool.ts';
import { linkRoute } from '../channels/link-route.ts';
import { defineRoute } from '../http/route.ts';
import { startTestService } from './test-service.ts';

/** Waits for a condition, for at most 20 s. */
export const eventually = async (what: string, look: () => boolean): Promise<void> => {
  const deadline = performance.now() + 20_000;
  while (!look()) {
    if (performance.now() > deadline) assert.fail(`waited 20 s in vain for ${what}`);
    await delay(5);
  }
};

/** Of how many tellings were taken, each time. */
export const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** What one call has been told. */
export class Reader implements Dispatcher.DispatchHandler {
  status = 0;
  headers: Readonly<Record<string, string | string[] | undefined>> = {};
  text = '';
  ended = false;
  error: (Error & { code?: string }) | undefined;
  controller: Dispatcher.DispatchController | undefined;
  pauses = false;

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Reader['headers']): void {
    this.status = status;
    this.headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.text += chunk.toString();
    if (this.pauses) controller.pause();
  }

  onResponseEnd(): void {
    this.ended = true;
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.error = error;
  }
}

/** A channel as the route has it. */
interface Told {
  readonly channel: Channel;
  readonly taken: number[];
  readonly finish: (error?: Error) => void;
}

/** A service whose answers go on over channels, and the calls to it. */
export const startLinkedService = async (
  options: { readonly offersLinks?: boolean; readonly tickMs?: number } = {},
) => {
  const told = new Map<string, Told>();
  const pending: ((value: undefined) => void)[] = [];
  const aborted: string[] = [];
  const route = defineRoute({
    method: 'get',
    path: '/tell/{name}',
    operationId: 'tell',
    tag: 'test',
    summary: 'Tells.',
    access: 'anonymous',
    params: z.object({ name: z.string() }),
    responses: { 200: { description: 'What is told.', mediaTypes: ['text/event-stream'] } },
    async handle({ params, draining, signal }) {
      const { name } = params;
      if (name === 'nothing') throw faults.notFound();
      if (name === 'full') throw faults.unavailable();
      if (name === 'late') {
        signal.addEventListener('abort', () => aborted.push(name));
        await new Promise<undefined>((resolve) => pending.push(resolve));
      }
      return {
        status: 200,
        headers: { 'Content-Type': 'text/event-stream', 'X-Name': name },
        stream: async (response) => {
          response.write('over a connection of its own');
        },
        channel: async (channel) => {
          if (name === 'broken') throw new Error('it fails at once');
          const { promise, resolve, reject } = Promise.withResolvers<undefined>();
          const taken: number[] = [];
          channel.onTaken((count) => taken.push(count));
          channel.onEnd(() => resolve(undefined));
          draining.addEventListener('abort', () => channel.end());
          told.set(name, {
            channel,
            taken,
            finish: (error) => (error === undefined ? resolve(undefined) : reject(error)),
          });
          await promise;
        },
      };
    },
  });
  const logger = createLogger({ service: 'test', level: 'silent' });
  const opened: string[] = [];
  const links = linkRoute({ logger: { debug: () => void opened.push('link'), error: logger.error.bind(logger) } });
  const service = await startTestService(options.offersLinks === false ? [route] : [route, links]);
  const pool = new Pool(service.url);
  let plainCalls = 0;
  const calls = createLinkPool({
    origin: service.url,
    internalKey: service.internalHeaders['causeway-internal'] ?? '',
    connectTimeoutMs: 3_000,
    headersTimeoutMs: 20_000,
    interceptors: [],
    ...(options.tickMs !== undefined && { tickMs: options.tickMs }),
    plain: {
      dispatch: (call, handler) => {
        plainCalls += 1;
        return pool.dispatch(call, handler);
      },
    },
  });
  const call = (name: string, reader = new Reader()): Reader => {
    calls.dispatch({ path: `/tell/${name}`, method: 'GET', headers: { 'x-own': name } }, reader);
    return reader;
  };
  return {
    ...{ service, calls, told, aborted, opened, call },
    plain: () => plainCalls,
    goOn: () => pending[0]?.(undefined),
    isPending: () => pending.length > 0,
    async follow(name: string) {
      const reader = call(name);
      await eventually(`${name} is told`, () => told.has(name) && reader.status === 200);
      return { reader, ...(told.get(name) ?? assert.fail()) };
    },
    [Symbol.asyncDispose]: async () => {
      await calls.close();
      await pool.destroy();
      await service.stop();
    },
  };
};
