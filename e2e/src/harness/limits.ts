/**
 * Settings of the platform under test: all callers share one address and a few people, so the limits on calls stand where
 * they are for a whole site. That they hold is for the gateway's own tests, and auth's; what an account has stands here too.
 */
export const testLimits: Readonly<Record<string, string>> = {
  LIMIT_PER_ADDRESS: '1000000',
  LIMIT_PER_PRINCIPAL: '1000000',
  LIMIT_SIGN_INS: '1000000',
  GUESSES_PER_BLOCK: '1000000',
  GUESSES_OVERALL: '10000000',
  LINKS_PER_BLOCK: '1000000',
  OPEN_PER_ADDRESS: '1000000',
  FEEDS_PER_CALLER: '1000000',
};

/** Nobody waits six minutes for tokens to expire: a call that is in flight here is over much sooner. */
export const testErasure: Readonly<Record<string, string>> = { ERASURE_SETTLE_TIME: '3s' };

/**
 * All settings of the platform under test that are not `npm start`'s.
 *
 * @param traces - where traces go: every one, since one spec looks at them; how they are sampled is for the telemetry's own tests
 */
export const testSettings = (traces: string | undefined): Readonly<Record<string, string>> => ({
  ...testLimits,
  ...testErasure,
  // Whatever a log ever says.
  LOG_LEVEL: 'debug',
  ...(traces === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: traces, TRACE_SAMPLE_RATIO: '1' }),
});
