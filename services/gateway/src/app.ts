import { followRevocations, createKafka, followHandlers, UnreadableHandler } from '@causeway/events';
import type { KafkaPort } from '@causeway/events';
import {
  askAuth,
  connectRedis,
  createCredentials,
  createIdentity,
  createRevocations,
  openApiOf,
  remoteKeys,
  wireProblems,
  requestTimeoutDeclaration,
  withPosition,
} from '@causeway/service';
import type { Identity, OpenApiPart, RevocationList, Route, ServiceParts, StartContext } from '@causeway/service';

import type { Config, settings } from './config.ts';
import { contractRoutes } from './contracts/contract.routes.ts';
import { createCors } from './cors/cors.ts';
import { ApiDocument } from './docs/api-document.ts';
import { docsRoutes } from './docs/docs.routes.ts';
import { createEdge } from './edge/edge.ts';
import { eventRoutes } from './events/event.routes.ts';
import { createLimits } from './limits/limits.ts';
import { createOpenLimits } from './limits/open-calls.ts';
import { parkedRoutes } from './parked/parked.routes.ts';
import { problemRoutes } from './problems/problem.routes.ts';
import { createProxy } from './proxy/proxy.ts';
import { rebuildRoutes } from './rebuilds/rebuild.routes.ts';
import { replayRoutes } from './replays/replay.routes.ts';
import { createRouter } from './routing/routing-table.ts';
import { createServiceClient } from './services/service-client.ts';
import { serviceReadiness } from './services/service-readiness.ts';

type Context = StartContext<typeof settings>;

/** Redis has told by then; without Kafka the gateway does not wait for it for ever. */
const waitForRevocationsMs = 5_000;

/** What a test may put in place of the real thing. */
export interface Replacements {
  /** Wraps the Kafka that the settings name. */
  readonly kafka?: (kafka: KafkaPort) => KafkaPort;
  /** Before the keys of Redis. */
  readonly redisPrefix?: string;
}

const connect = (config: Config, { logger, onStop }: Context, { kafka: wrap = (given) => given }: Replacements) => {
  const redis = connectRedis({ url: config.redisUrl, name: 'gateway', logger });
  onStop('redis', () => redis.disconnect());
  const kafka = wrap(
    createKafka({
      driver: config.kafkaDriver,
      brokers: config.kafkaBrokers,
      clientId: 'causeway-gateway',
      logger,
    }),
  );
  onStop('kafka', () => kafka.close());
  const services = { auth: config.authUrl, user: config.userUrl, data: config.dataUrl };
  const client = createServiceClient({ urls: services, internalKey: config.internalKey });
  onStop('service client', () => client.close());
  return { redis, kafka, services, client };
};

type Connections = ReturnType<typeof connect>;

/** Knows who a caller is, and resolves only when it knows whose session is over. */
const startIdentity = async (
  config: Config,
  { redis, kafka }: Connections,
  { logger, onStop, awaits }: Context,
  { redisPrefix: prefix }: Replacements,
): Promise<{ readonly identity: Identity; readonly revocations: RevocationList }> => {
  const revocations = createRevocations({
    redis,
    logger,
    ask: askAuth({ url: config.authUrl, internalKey: config.internalKey }),
    boundMs: config.revocationBoundMs,
    ...(prefix !== undefined && { prefix }),
  });
  const keys = remoteKeys({ url: `${config.authUrl}/.well-known/jwks.json`, logger });
  const { tokenIssuer: issuer, tokenAudience: audience } = config;
  const identity = createIdentity({ issuer, audience, keys, revocations });
  awaits?.({ 'token-keys': () => keys.ready() });
  onStop('identity', () => identity.stop());
  const follower = followRevocations({ kafka, revocations, logger });
  onStop('revocations', () => follower.close());
  const [, caughtUp] = await Promise.all([identity.start(), follower.caughtUp(waitForRevocationsMs)]);
  if (!caughtUp) logger.warn('Kafka has not told of revocations yet: those that auth tells of are refused');
  return { identity, revocations };
};

const proxyOf = (config: Config, { services }: Connections, { draining, onStop }: Context) => {
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
  return proxy;
};

const limitsOf = (config: Config, { redis }: Connections, { logger, onStop }: Context, prefix: string | undefined) => {
  const limits = createLimits({
    redis,
    logger,
    windowMs: config.limitWindowMs,
    perAddress: config.limitPerAddress,
    perPrincipal: config.limitPerPrincipal,
    signIns: config.limitSignIns,
    ...(prefix !== undefined && { prefix }),
  });
  onStop('limits', () => limits.stop());
  return limits;
};

/** Its own calls, and the problems that a call may meet before it is anybody's. */
const ownPart = (routes: readonly Route[]): OpenApiPart => {
  const part = openApiOf('gateway', routes);
  const { code, title, description } = requestTimeoutDeclaration;
  const before = [...wireProblems, { code, status: 408, title, description }];
  return { ...part, 'x-problems': [...part['x-problems'], ...before] };
};

/** Starts everything that this service is, and says what it serves. */
export async function start(context: Context, replacements: Replacements = {}): Promise<ServiceParts> {
  const { logger, onStop, settings: config } = context;
  const connections = connect(config, context, replacements);
  const { client, kafka } = connections;
  const { identity, revocations } = await startIdentity(config, connections, context, replacements);
  const registry = await followHandlers(kafka, (error) => {
    if (error instanceof UnreadableHandler) logger.error({ error }, 'somebody has written to the topic of handlers');
    else logger.debug({ error }, 'following handlers is interrupted');
  });
  onStop('handlers', () => registry.close());

  const document = new ApiDocument({ client, own: () => ownPart(routes), logger });
  // What the services say decides: a caller that sends this position back reads every effect that it was told of.
  const asked = [
    ...eventRoutes({ client, internalKey: config.internalKey, registry, logger }),
    ...parkedRoutes(client),
    ...replayRoutes(client),
    ...rebuildRoutes(client),
  ].map((route) => withPosition(route, () => client.position()));
  const { publicUrl, publicBrokers } = config;
  const contracts = await contractRoutes({ publicUrl, publicBrokers, logger });
  const routes: readonly Route[] = [...asked, ...docsRoutes(document), ...contracts, ...problemRoutes(document)];
  onStop('document', () => document.stop());
  document.start();

  const edge = createEdge({
    findRoute: createRouter(),
    methodsAt: async (path) => (await document.current()).methodsAt(path),
    identity,
    credentials: createCredentials(publicUrl),
    cors: createCors(config.corsOrigins),
    publicUrl,
    limits: limitsOf(config, connections, context, replacements.redisPrefix),
    open: createOpenLimits(config.openPerAddress, config.feedsPerCaller),
    proxy: proxyOf(config, connections, context),
    trustedProxies: config.trustedProxies,
    logger,
  });
  return {
    routes,
    identity,
    intercept: edge,
    helpful: { ...serviceReadiness(client), handlers: () => registry.ready, revocations: () => revocations.ready() },
  };
}
