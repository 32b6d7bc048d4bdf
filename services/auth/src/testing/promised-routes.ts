/** Every call of this service, sorted by path, with the statuses that its specs see. */
export const promisedRoutes: Readonly<Record<string, readonly string[]>> = {
  'GET /.well-known/jwks.json': ['200'],
  'GET /v1/auth/account': ['200', '304', '400', '401', '503'],
  'DELETE /v1/auth/account': ['202', '400', '401', '409', '413', '415', '503'],
  'POST /v1/auth/factors/totp': ['201', '400', '401', '409', '413', '415', '503'],
  'POST /v1/auth/factors/totp/{id}/confirm': ['200', '400', '401', '404', '409', '413', '415', '503'],
  'GET /v1/auth/mailbox': ['200', '400', '401', '403', '503'],
  'GET /v1/auth/mailbox/{id}': ['200', '400', '401', '403', '404', '503'],
  'POST /v1/auth/refresh': ['200', '400', '401', '413', '415', '503'],
  'GET /v1/auth/sessions': ['200', '400', '401', '503'],
  'DELETE /v1/auth/sessions': ['204', '400', '401', '503'],
  'DELETE /v1/auth/sessions/{id}': ['204', '400', '401', '404', '503'],
  'POST /v1/auth/sign-in': ['200', '400', '401', '403', '413', '415', '429', '503'],
  'POST /v1/auth/sign-in/second-factor': ['200', '400', '401', '403', '404', '413', '415', '429', '503'],
  'POST /v1/auth/sign-out': ['204', '400', '401', '503'],
  'POST /v1/auth/sign-up': ['201', '400', '409', '413', '415', '422', '503'],
};
