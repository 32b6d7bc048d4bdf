import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { pack, parseQuestion, parseTold, parseToListener, unpack } from './revocation-messages.ts';

describe('messages of revocations', () => {
  it('say of an end what was put in', () => {
    for (const ending of [
      { sid: 'ses_1', untilMs: 5 },
      { sub: 'usr_1', below: 3, untilMs: 5 },
    ])
      assert.deepEqual(unpack(pack(ending)), ending);
  });

  it('are passed over where they are none of ours', () => {
    const ended = [['ses_1', 5]];
    const rubbish = [
      ...['', 'null', '5', '"x"', '[]', '{', '{}', '{"__proto__":{"teller":"t"}}'],
      ...[
        { teller: '', seq: 1, ended },
        { teller: 't'.repeat(200), seq: 1, ended },
        { teller: 't', seq: -1, ended },
        { teller: 't', seq: 1.5, ended },
        { teller: 't', seq: '1', ended },
        { teller: 't', seq: 1, ended: {} },
        { teller: 't', seq: 1, ended: [['ses_1']] },
        { teller: 't', seq: 1, ended: [['ses_1', '5']] },
        { teller: 't', seq: 1, ended: [['', 5]] },
        { teller: 't', seq: 1, ended: [['usr_1', 5, -1]] },
        { teller: 't', seq: 1, ended: [['usr_1', 5, 1, 1]] },
        { teller: 't', question: 1 },
        { teller: 't', upTo: 1 },
        { listener: 'l', question: 1 },
        { listener: 'l', question: 'x', all: true },
        { listener: 5, question: 1, all: true },
      ].map((each) => JSON.stringify(each)),
    ];
    for (const message of rubbish)
      for (const parse of [parseTold, parseQuestion, parseToListener]) assert.equal(parse(message), undefined, message);
  });

  it('of everything are no answer to it where they do not say how much that is', () => {
    const answer = { teller: 't', question: 1, upTo: 2 };
    for (const all of [5, {}, { whole: 1 }, { whole: 1, parts: -1, forgottenUntilMs: 0 }])
      assert.deepEqual(parseToListener(JSON.stringify({ ...answer, all })), answer);
    const all = { whole: 1, parts: 2, forgottenUntilMs: 0 };
    assert.deepEqual(parseToListener(JSON.stringify({ ...answer, all })), { ...answer, all });
  });
});
