export { eventRoutes } from './events/event-routes.ts';
export type {
  EffectReport,
  CausedReport,
  EffectsReport,
  EventQuestion,
  EventReader,
  PlacedEvent,
  PlacedEvents,
  TimerReport,
} from './events/event-routes.ts';
export { formatPlaces, parsePlaces } from './events/log-places.ts';
export { producerLogs } from './events/producer-logs.ts';
export type { ProducerLogOptions, RemoteLog } from './events/producer-logs.ts';
export { channelHeader } from './channels/channel.ts';
export type { Channel } from './channels/channel.ts';
export { createLinkPool } from './channels/link-pool.ts';
export type { LinkPool, LinkPoolOptions } from './channels/link-pool.ts';
export { linkPath, linkRoute } from './channels/link-route.ts';
export { createCsrfTokens } from './html/csrf-token.ts';
export type { CsrfTokens } from './html/csrf-token.ts';
export { Html, html } from './html/html.ts';
export type { HtmlPart } from './html/html.ts';
export { formPageHeaders, htmlPage, pageHeaders } from './html/page.ts';
export type { Page } from './html/page.ts';
export { definePage } from './html/page-route.ts';
export type { NextPlace, PageAnswer, PageDeclaration } from './html/page-route.ts';
export { upgradeRequired } from './http/accept-socket.ts';
export type { SocketAnswer } from './http/accept-socket.ts';
export type { RawData, WebSocket } from 'ws';
export { addressBlock } from './http/address-block.ts';
export { createApp } from './http/app.ts';
export type { AppOptions, Interceptor } from './http/app.ts';
export { etag, isNotModified, matches, parseIfMatch } from './http/conditional.ts';
export type { IfMatch } from './http/conditional.ts';
export { cookieNames, cookieOf, mayHaveCookies, setCookie } from './http/cookies.ts';
export type { CookieNames } from './http/cookies.ts';
export type { Exchange } from './http/exchange.ts';
export { closeServer, createHttpServer, listen, wireProblems } from './http/http-server.ts';
export { internalKeyCheck, internalKeyHeader } from './http/internal-key.ts';
export { checkJsonLimits, deepestJson } from './http/json-limits.ts';
export { mediaTypeOf, negotiate } from './http/media-type.ts';
export { localPath } from './http/local-path.ts';
export type { LocalPath } from './http/local-path.ts';
export { allowedMethods } from './http/path-template.ts';
export { faultOf, problemHeaders, problemMediaType, problemOf, sendProblem } from './http/problem.ts';
export type { Problem } from './http/problem.ts';
export { parseQuery } from './http/query.ts';
export { ClientGone, parseJson, readBody, streamBody } from './http/read-body.ts';
export { formMediaType, parseForm } from './http/read-form.ts';
export { faultOfAuthentication, insufficientAuthentication } from './http/recent-authentication.ts';
export type { RecentAuthentication } from './http/recent-authentication.ts';
export { RequestTimeout, requestTimeoutDeclaration } from './http/request-timeout.ts';
export { defineRoute, internalRoute } from './http/route.ts';
export type { Access, Answer, BodySchemas, Call, Method, ResponseDocument, Route, StreamWriter } from './http/route.ts';
export { asksForWebSocket, upgradeOf } from './http/upgrade.ts';
export type { Upgrade } from './http/upgrade.ts';
export { withPosition } from './http/with-position.ts';
export { validateBody, validateParams, validateQuery } from './http/validate.ts';
export type { AccessClaims } from './identity/access-claims.ts';
export { createCredentials, createDemandSameOrigin, createIsSameOrigin, crossSite } from './identity/credentials.ts';
export type { Credentials, DemandSameOrigin } from './identity/credentials.ts';
export { createIdentity } from './identity/create-identity.ts';
export type { IdentityOptions } from './identity/create-identity.ts';
export type { Identity } from './identity/identity.ts';
export { localKeys, remoteKeys } from './identity/keys.ts';
export type { KeySource, RemoteKeysOptions } from './identity/keys.ts';
export { askAuth, whichEndedPath } from './identity/ask-auth.ts';
export { EndedTokens } from './identity/ended-tokens.ts';
export { everyVersion } from './identity/ending.ts';
export type { AccountEnding, Ending, SessionEnding, TokenFacts } from './identity/ending.ts';
export { inquiryLimit } from './identity/revocation-inquiry.ts';
export type { AskWhichEnded } from './identity/revocation-inquiry.ts';
export { createRevocationTeller } from './identity/revocation-teller.ts';
export type { RevocationTeller } from './identity/revocation-teller.ts';
export { createRevocationList, createRevocations } from './identity/revocations.ts';
export type { RevocationList, RevocationsOptions } from './identity/revocations.ts';
export { invalidToken } from './identity/verify-token.ts';
export { createMasterKey, createVault } from './keys/master-key.ts';
export type { MasterKey, Vault } from './keys/master-key.ts';
export { secretOf } from './keys/given-secret.ts';
export type { GivenSecret, SecretNames } from './keys/given-secret.ts';
export { readiness } from './lifecycle/health.ts';
export type { Readiness, ReadinessCheck } from './lifecycle/health.ts';
export { bySystem, startJob } from './lifecycle/jobs.ts';
export type { Job } from './lifecycle/jobs.ts';
export { connectRedis } from './lifecycle/redis.ts';
export { runService } from './lifecycle/run-service.ts';
export type { ServiceDeclaration, ServiceParts, ServiceSettings, StartContext } from './lifecycle/run-service.ts';
export { openApiOf } from './openapi/openapi.ts';
export type { OpenApiPart, ProblemDescription } from './openapi/openapi.ts';
export {
  kafkaSettings,
  keySettings,
  mongodbSettings,
  processSettings,
  redisSettings,
  tokenSettings,
} from './settings/base-settings.ts';
export { readSettings, SettingsError } from './settings/read-settings.ts';
export type { SettingsCheck } from './settings/read-settings.ts';
export { defineSettings } from './settings/setting.ts';
export type { Setting, Settings, SettingValues } from './settings/setting.ts';
export { settingsTable, tableMarkers, withSettingsTable } from './settings/settings-table.ts';
