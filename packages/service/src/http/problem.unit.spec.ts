import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineFault, Fault, faultCategories, faults, type FaultCategory } from '@causeway/contracts';

import { faultOf, problemHeaders, problemOf } from './problem.ts';

const categories = Object.keys(faultCategories) as FaultCategory[];

const secretive = (category: FaultCategory): Fault =>
  defineFault({ code: `my-${category}`, category, title: 'Mine', description: 'Mine.' })({
    detail: 'detail-inside',
    errors: [{ pointer: '/a', code: 'x', message: 'error-inside' }],
    extensions: { extra: 'extension-inside', status: 299, type: 'about:blank' },
    message: 'message-inside',
    cause: new Error('cause-inside'),
  });

describe('problem documents', () => {
  for (const category of categories) {
    const { status } = faultCategories[category];
    it(`of ${category} have status ${status}, and what is said inside stays inside`, () => {
      const problem = problemOf(secretive(category), 'https://c.test', 'req-1');
      const text = JSON.stringify(problem);
      const code = category === 'internal' ? 'internal' : `my-${category}`;
      assert.equal(problem.status, status);
      assert.equal(problem.type, `https://c.test/problems/${code}`);
      assert.equal(problem.code, code);
      assert.equal(problem.requestId, 'req-1');
      assert.doesNotMatch(text, /message-inside|cause-inside|stack/);
      if (status >= 500) assert.doesNotMatch(text, /-inside/);
      else assert.match(text, /detail-inside.*error-inside/s);
    });
  }

  it('exist for each generic fault under its category', () => {
    assert.deepEqual(
      Object.values(faults)
        .map((each) => each.declaration.code)
        .sort(),
      [...categories].sort(),
    );
  });

  it('carry the headers that their status demands', () => {
    assert.deepEqual(problemHeaders(faults.unauthenticated()), { 'WWW-Authenticate': 'Bearer' });
    assert.deepEqual(problemHeaders(faults.unavailable()), { 'Retry-After': '1' });
    assert.deepEqual(problemHeaders(faults.tooManyRequests({ retryAfterS: 7 })), { 'Retry-After': '7' });
    assert.deepEqual(problemHeaders(faults.methodNotAllowed({ headers: { Allow: 'GET' } })), { Allow: 'GET' });
  });

  it('say how much is done, whatever has ended the call, and nothing else of a 5xx', () => {
    const progress = { lines: 500, created: 499 };
    for (const make of [faults.unavailable, faults.internal, faults.unauthenticated]) {
      const problem = problemOf(make({ progress, extensions: { extra: 'extension-inside' } }), 'https://c.test');
      assert.deepEqual(problem.progress, progress);
      assert.equal('extra' in problem, problem.status < 500);
    }
    assert.equal('progress' in problemOf(faults.unavailable(), 'https://c.test'), false);
  });

  it('say the same of everything that was not expected', () => {
    for (const thrown of [new Error('driver: E11000 dup key'), 'text', undefined, null, { status: 418 }]) {
      assert.equal(faultOf(thrown).code, 'internal');
    }
  });

  it('say what the errors of a driver amount to', () => {
    const translate = (error: unknown): Fault | undefined =>
      error instanceof RangeError ? faults.unavailable({ cause: error }) : undefined;
    assert.equal(faultOf(new RangeError('x'), translate).code, 'unavailable');
    assert.equal(faultOf(new Error('x'), translate).code, 'internal');
  });
});
