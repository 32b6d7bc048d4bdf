import { createKafka } from '@causeway/events';
import { connectRedis, createIdentity, createRevocations, remoteKeys } from '@causeway/service';
import type { ServiceParts, StartContext } from '@causeway/service';

import { checkConfig } from './config.ts';
import type { settings } from './config.ts';
import { createCors } from './cors/cors.ts';
import { createEdge } from './edge/edge.ts';
import { createProxy } from './proxy/proxy.ts';
import { createRouter } from './routing/routing-table.ts';

/** Starts everything that this service is, and says what it serves. */
export async function start(context: StartContext<typeof settings>): Promise<ServiceParts> {
  const { logger, onStop, draining } = context;
  const config = checkConfig(context.settings);
  const services = { auth: config.authUrl, user: config.userUrl, data: config.dataUrl };

  const redis = connectRedis({ url: config.redisUrl, name: 'gateway', logger });
  onStop('redis', () => redis.disconnect());
  const kafka = createKafka({
    driver: config.kafkaDriver,
    brokers: config.kafkaBrokers,
    clientId: 'causeway-gateway',
    logger,
  });
  onStop('kafka', () => kafka.close());

  const revocations = createRevocations({ redis, logger });
  const identity = createIdentity({
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    keys: remoteKeys({ url: `${config.authUrl}/.well-known/jwks.json`, logger }),
    revocations,
  });
  onStop('identity', () => identity.stop());
  await identity.start();

  const proxy = createProxy({
    services,
    internalKey: config.internalKey,
    publicUrl: config.publicUrl,
    timeoutMs: config.upstreamTimeoutMs,
    connections: config.upstreamConnections,
    feeds: config.feedConnections,
    bodyLimitBytes: config.bodyLimitBytes,
    importLimitBytes: config.importLimitBytes,
    draining,
  });
  onStop('proxy', () => proxy.close());

  return {
    routes: [],
    identity,
    intercept: createEdge({
      findRoute: createRouter(),
      identity,
      cors: createCors(config.corsOrigins),
      proxy,
      trustedProxies: config.trustedProxies,
      logger,
    }),
  };
}
