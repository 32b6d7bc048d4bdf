import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import { isFeed } from './is-feed.ts';
import { pathOfTarget } from './request-target.ts';
import { createRouter } from './routing-table.ts';

describe('routing table', () => {
  const find = createRouter();

  it('sends each part of the interface to the service that owns it', () => {
    const services = {
      auth: [
        '/v1/auth',
        '/v1/auth/sign-in',
        '/v1/auth/sessions/ses_1',
        '/.well-known/jwks.json',
        '/account',
        '/account/sign-in',
        '/mailbox',
        '/mailbox/mal_1',
      ],
      user: ['/v1/users', '/v1/users/me', '/v1/users/usr_1'],
      data: [
        ...['/v1/collections', '/v1/collections/a', '/v1/data/a', '/v1/data/a/rec_1', '/v1/data/a/changes'],
        ...[
          '/v1/data/a/query',
          '/v1/data/a/aggregate',
          '/v1/batch',
          '/v1/rules/explain',
          '/v1/rules/try',
          '/v1/changes',
        ],
        ...['/v1/migrations', '/v1/migrations/mig_1/revert', '/v1/operations/opn_1'],
      ],
    };
    for (const [service, paths] of Object.entries(services)) {
      for (const path of paths) assert.equal(find(path)?.service, service, path);
    }
  });

  it('knows nothing else', () => {
    for (const path of [
      '/',
      '/internal',
      '/internal/log',
      '/v1/internal',
      '/v1/usersfoo',
      '/v1/batches',
      '/v1/batch/1',
      '/v1/changes/1',
      '/accounts',
      '/mailboxes',
      '/v1/events',
      '/V1/users',
      '/.well-known/x',
    ]) {
      assert.equal(find(path), undefined, path);
    }
  });

  it('reads no credentials where a client may hold an old token, and limits guessing', () => {
    for (const path of [
      ...['/v1/auth/sign-in', '/v1/auth/sign-in/second-factor', '/v1/auth/sign-up', '/account/sign-in'],
      ...['/v1/auth/sign-in/link/redeem', '/v1/auth/password/reset', '/v1/auth/password/reset/confirm'],
      ...['/v1/auth/email/verification', '/v1/auth/email/undo', '/v1/auth/factors/undo'],
    ]) {
      assert.deepEqual([find(path)?.credentials, find(path)?.limit], ['ignored', 'sign-in'], path);
    }
    assert.deepEqual([find('/v1/auth/refresh')?.credentials, find('/v1/auth/refresh')?.limit], ['ignored', 'general']);
    for (const path of ['/v1/auth/email/verify', '/v1/auth/email/confirm'])
      assert.deepEqual([find(path)?.credentials, find(path)?.limit], ['verified', 'sign-in'], path);
    assert.equal(find('/v1/auth/password')?.credentials, 'verified');
    assert.equal(find('/v1/auth/sign-out')?.credentials, 'verified');
  });
});

describe('a feed', () => {
  const find = createRouter();
  const feeds = (method: string, path: string): boolean => {
    const route = find(path);
    return route !== undefined && isFeed(route, method, path);
  };

  it('is the changes of a collection, and nothing that merely is called so', () => {
    assert.ok(feeds('GET', '/v1/data/articles/changes'));
    assert.ok(feeds('GET', '/v1/data/changes/changes'));
    assert.ok(!feeds('POST', '/v1/data/articles/changes'));
    for (const path of ['/v1/data/changes', '/v1/data/a/b/changes', '/v1/collections/changes', '/v1/users/changes']) {
      assert.ok(!feeds('GET', path), path);
    }
  });
});

describe('request target', () => {
  it('gives the path without the query', () => {
    assert.equal(pathOfTarget('/v1/data/a?filter=%7B%22a%22%3A1%7D&x=..%2f'), '/v1/data/a');
    assert.equal(pathOfTarget('/.well-known/jwks.json'), '/.well-known/jwks.json');
    assert.equal(pathOfTarget('/v1/data/a..b/.c'), '/v1/data/a..b/.c');
  });

  it('refuses what could be read as another path', () => {
    const targets = [
      '*',
      '',
      'http://127.0.0.1/v1/users',
      '/v1/../internal/log',
      '/v1/./users',
      '/v1/users/..',
      '/v1/%2e%2e/internal',
      '/v1/.%2E/internal',
      '//v1/users',
      '/v1//users',
      '/v1\\users',
      '/v1/users%2f..%2finternal',
      '/v1/users%5c..',
      '/v1/users%00',
      '/v1/users#x',
      '/v1/users?a=\u00e9',
      '/v1/us ers',
    ];
    for (const target of targets) {
      assert.throws(
        () => pathOfTarget(target),
        (error) => error instanceof Fault && error.status === 400,
        target,
      );
    }
  });
});
