// Started by run-service.int.spec.ts: a service whose end can be watched, and be made to hang or to fail.
import { once } from 'node:events';
import process from 'node:process';
import { z } from 'zod';

import { defineRoute } from '../http/route.ts';
import { runService } from '../lifecycle/run-service.ts';
import { processSettings } from '../settings/base-settings.ts';
import { defineSettings } from '../settings/setting.ts';

const settings = defineSettings({
  ...processSettings,
  port: { env: 'PORT', type: 'port', default: 0, description: 'Port.' },
  mood: {
    env: 'MOOD',
    type: 'enum',
    values: ['well', 'hang', 'refuse', 'wait'],
    default: 'well',
    description: 'How it ends.',
  },
});

const largeBytes = 64 * 1_048_576;

const say = (word: string): void => void process.stdout.write(`${JSON.stringify({ message: word })}\n`);

await runService({
  name: 'child',
  settings,
  check: ({ host, opsHost }) => (host === opsHost ? [] : ['OPS_HOST must be HOST']),
  start: async ({ settings: { mood }, onStop, draining, awaits }) => {
    onStop('connection', () => say('connection closed'));
    if (mood === 'wait') {
      awaits?.({ redis: () => false, 'token-keys': () => true });
      say('waiting');
      await once(draining, 'abort');
    }
    if (mood === 'refuse') throw new Error('MongoDB 5.0 is too old');
    onStop('consumer', async () => {
      say('consumer left');
      if (mood === 'hang') await new Promise(() => setInterval(() => undefined, 1_000));
    });
    draining.addEventListener('abort', () => say('draining'));
    let isReady = true;
    await Promise.resolve();
    return {
      readiness: { mongodb: () => isReady, redis: () => true },
      routes: [
        defineRoute({
          method: 'post',
          path: '/slow',
          operationId: 'slow',
          tag: 'child',
          summary: 'Slow',
          access: 'anonymous',
          responses: { 200: { description: 'Done.', schema: z.unknown() } },
          handle: async (call) => {
            say('slow begins');
            if (!call.draining.aborted) {
              await new Promise((resolve) => call.draining.addEventListener('abort', resolve, { once: true }));
            }
            // Long enough to show that the stop hooks wait for it.
            await new Promise((resolve) => setTimeout(resolve, 200));
            say('slow ends');
            return { status: 200, body: { done: true } };
          },
        }),
        defineRoute({
          method: 'get',
          path: '/large',
          operationId: 'large',
          tag: 'child',
          summary: 'More than fits between two processes',
          access: 'anonymous',
          responses: { 200: { description: 'Zeros.', mediaTypes: ['application/octet-stream'] } },
          handle: () => ({ status: 200, json: new Uint8Array(largeBytes) }),
        }),
        defineRoute({
          method: 'post',
          path: '/upload',
          operationId: 'upload',
          tag: 'child',
          summary: 'Reads a body',
          access: 'anonymous',
          body: z.unknown(),
          responses: { 204: { description: 'Read.' } },
          handle: () => ({ status: 204 }),
        }),
        defineRoute({
          method: 'post',
          path: '/break',
          operationId: 'break',
          tag: 'child',
          summary: 'Break',
          access: 'anonymous',
          responses: { 204: { description: 'Broken.' } },
          handle: () => {
            isReady = false;
            return { status: 204 };
          },
        }),
        defineRoute({
          method: 'post',
          path: '/crash',
          operationId: 'crash',
          tag: 'child',
          summary: 'Crash',
          access: 'anonymous',
          responses: { 204: { description: 'Crashed.' } },
          handle: () => {
            void Promise.reject(new Error('nobody awaits me'));
            return { status: 204 };
          },
        }),
      ],
    };
  },
});
