import type { ServiceName } from '@causeway/contracts';

/** Where the calls of a part of the interface go. */
export interface ServiceRoute {
  /** An exact path; with `/*` at its end, that path and everything below. */
  readonly path: string;
  readonly service: ServiceName;
  /**
   * `verified`: a token that is sent is checked here, and a bad one refused. `ignored`: the call reads none, and a client may
   * send the one that it is about to replace.
   */
  readonly credentials: 'verified' | 'ignored';
  /** Guessing passwords has a budget of its own. */
  readonly limit: 'general' | 'sign-in';
}

const row = (service: ServiceName, path: string): ServiceRoute => ({
  path,
  service,
  credentials: 'verified',
  limit: 'general',
});

/** What the gateway passes on; the first that matches decides. Whatever is not named here is not reachable from outside. */
export const routingTable: readonly ServiceRoute[] = [
  { ...row('auth', '/v1/auth/sign-in/*'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/sign-up'), credentials: 'ignored', limit: 'sign-in' },
  // By a mailed link, or to have one mailed: whoever has none guesses.
  { ...row('auth', '/v1/auth/sign-in/*'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/password/reset/*'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/email/verification'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/email/undo'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/factors/undo'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/v1/auth/unlock'), credentials: 'ignored', limit: 'sign-in' },
  // With the session that it belongs to, or without.
  { ...row('auth', '/v1/auth/email/verify'), limit: 'sign-in' },
  { ...row('auth', '/v1/auth/email/confirm'), limit: 'sign-in' },
  { ...row('auth', '/v1/auth/refresh'), credentials: 'ignored' },
  // Proving once more who one is.
  { ...row('auth', '/v1/auth/step-up/*'), limit: 'sign-in' },
  // Erasing oneself asks for the password once more.
  { ...row('auth', '/v1/auth/account'), limit: 'sign-in' },
  row('auth', '/v1/auth/*'),
  { ...row('auth', '/.well-known/jwks.json'), credentials: 'ignored' },
  // Pages know their visitors by themselves: one whose token has expired is not to get a problem document.
  { ...row('auth', '/account/*'), credentials: 'ignored', limit: 'sign-in' },
  { ...row('auth', '/mailbox/*'), credentials: 'ignored' },
  row('user', '/v1/users/*'),
  row('data', '/v1/collections/*'),
  row('data', '/v1/data/*'),
  row('data', '/v1/batch'),
  row('data', '/v1/rules/*'),
  row('data', '/v1/changes'),
  row('data', '/v1/migrations/*'),
  row('data', '/v1/operations/*'),
];

interface Matcher {
  readonly exact: string;
  /** Empty: nothing below. */
  readonly below: string;
  readonly route: ServiceRoute;
}

const matcherOf = (route: ServiceRoute): Matcher => {
  const exact = route.path.replace(/\/\*$/, '');
  return { exact, below: exact === route.path ? '' : `${exact}/`, route };
};

/**
 * Makes the function that finds a path's route.
 *
 * @param table - the first row that matches decides
 * @returns takes a raw path without query; undefined where it is not routed
 */
export const createRouter = (
  table: readonly ServiceRoute[] = routingTable,
): ((path: string) => ServiceRoute | undefined) => {
  const matchers = table.map(matcherOf);
  return (path) => {
    for (const { exact, below, route } of matchers) {
      if (path === exact || (below !== '' && path.startsWith(below))) return route;
    }
    return undefined;
  };
};
