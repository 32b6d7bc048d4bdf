import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';

import { createLogger } from './logger.ts';
import { prettyLine } from './pretty-log.ts';

const logged = (use: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> => {
  const lines: string[] = [];
  use(createLogger({ service: 'auth', level: 'debug', stream: { write: (line) => void lines.push(line) } }));
  assert.equal(lines.length, 1);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
};

describe('a log line', () => {
  it('names service, level, time and message', () => {
    const line = logged((logger) => logger.warn({ sessionId: 'ses_1' }, 'session ended'));
    assert.equal(line.service, 'auth');
    assert.equal(line.level, 'warn');
    assert.equal(line.message, 'session ended');
    assert.equal(line.sessionId, 'ses_1');
    assert.match(String(line.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('never holds the value of a secret key, however deep and however written', () => {
    const secret = 'hunter2';
    const line = logged((logger) =>
      logger.info(
        {
          password: secret,
          request: { headers: { Authorization: secret, 'set-cookie': [secret], 'Causeway-Internal': secret } },
          tokens: [{ access_token: secret, refreshToken: secret }],
          url: `mongodb://root:${secret}@db.example/?x=1`,
          parsed: new URL(`redis://root:${secret}@cache.example/`),
          body: Buffer.from(secret),
          document: { toJSON: () => ({ password: secret }) },
          at: new Date(0),
        },
        'signed in',
      ),
    );
    assert.doesNotMatch(JSON.stringify(line), new RegExp(secret));
    assert.match(JSON.stringify(line), /\[redacted\]@db\.example/);
    assert.match(String(line.parsed), /\[redacted\]@cache\.example/);
    assert.equal(line.body, '[7 bytes]');
    assert.equal(line.at, '1970-01-01T00:00:00.000Z');
  });

  it('never holds what lets somebody in by a second factor, a link or a device', () => {
    const secret = 'hunter2';
    const link = `https://example.com/account/link/cwp_06F2QKZ4A1H6P3W8Y5E7J9K0MB_${'s'.repeat(43)}`;
    const line = logged((logger) =>
      logger.info(
        {
          ...{ totp: secret, code: '123 456', link: secret, seed: secret, ticket: secret, smtpUrl: secret },
          body: { recoveryCode: secret, recoveryCodes: [secret], device_token: secret, mfaToken: secret },
          passkey: { ticket: secret, response: { clientDataJSON: secret } },
          uri: `otpauth://totp/Causeway:ada@example.com?secret=${secret}`,
          error: new Error(`could not send ${link}`),
        },
        'x',
      ),
    );
    assert.doesNotMatch(JSON.stringify(line), /hunter2|123 456|s{43}|06F2QKZ4/);
  });

  it('keeps what says no more than what has failed', () => {
    const line = logged((logger) =>
      logger.info(
        { code: 'ECONNREFUSED', fault: { code: 'invalid-code' }, error: { code: 11000 }, response: 'OK' },
        'x',
      ),
    );
    assert.equal(line.code, 'ECONNREFUSED');
    assert.deepEqual([line.fault, line.error, line.response], [{ code: 'invalid-code' }, { code: 11000 }, 'OK']);
  });

  it('spells an error out, down to its cause, without credentials in its message', () => {
    const cause = Object.assign(new TypeError('connect mongodb://root:hunter2@db failed'), {
      code: 'EX',
      token: 'hunter2',
    });
    const line = logged((logger) => logger.error({ error: new Error('outer', { cause }) }, 'failed'));
    const error = line.error as {
      message: string;
      stack: string;
      cause: { type: string; code: string; token: string };
    };
    assert.equal(error.message, 'outer');
    assert.match(error.stack, /logger\.unit\.spec/);
    assert.equal(error.cause.type, 'TypeError');
    assert.equal(error.cause.code, 'EX');
    assert.equal(error.cause.token, '[redacted]');
    assert.doesNotMatch(JSON.stringify(line), /hunter2/);
  });

  it('stays finite for what refers to itself', () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop.self = loop;
    assert.match(JSON.stringify(logged((logger) => logger.info({ loop }, 'x'))), /\[deeper\]/);
  });

  it('carries the ids of the trace that runs', () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const span = trace.wrapSpanContext({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 0 });
    const line = logged((logger) => context.with(trace.setSpan(ROOT_CONTEXT, span), () => logger.info('x')));
    assert.equal(line.trace_id, 'a'.repeat(32));
    assert.equal(line.span_id, 'b'.repeat(16));
  });
});

describe('a pretty line', () => {
  it('says what the JSON says', () => {
    const line = JSON.stringify({
      level: 'info',
      time: '2026-01-31T12:00:01.250Z',
      service: 'auth',
      message: 'listening',
      port: 8081,
    });
    // eslint-disable-next-line no-control-regex -- the colours of a terminal
    assert.equal(prettyLine(line).replaceAll(/\u001b\[\d+m/g, ''), '12:00:01.250 info  auth  listening port=8081\n');
  });

  it('passes on what is no JSON', () => {
    assert.equal(prettyLine('what\n'), 'what\n');
  });
});
