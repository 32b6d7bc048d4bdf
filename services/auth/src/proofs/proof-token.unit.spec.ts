import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { newId } from '@causeway/contracts';

import { createProofTokens, readProofToken } from './proof-token.ts';
import type { ProofTokenSource } from './proof-token.ts';

const sourceOf = (): ProofTokenSource => ({
  ...{ proofId: newId('prf'), kind: 'verify-email', emailKey: 'ada@example.com' },
  seed: randomBytes(32).toString('base64url'),
});

void describe('the token of a link', () => {
  const tokens = createProofTokens(randomBytes(32));
  const source = sourceOf();
  const token = tokens.issue(source);

  it('names its proof and is derived: the same again, from the same', () => {
    assert.match(token, /^cwp_[0-9A-Z]{26}_[A-Za-z0-9_-]{43}$/);
    assert.equal(readProofToken(token), source.proofId);
    assert.equal(tokens.issue(source), token);
    assert.equal(tokens.isGenuine(token, source), true);
  });

  it('is another for another proof, kind, address, seed or secret', () => {
    const others: ProofTokenSource[] = [
      { ...source, proofId: newId('prf') },
      { ...source, kind: 'reset-password' },
      { ...source, emailKey: 'eve@example.com' },
      { ...source, seed: sourceOf().seed },
    ];
    for (const other of others) assert.equal(tokens.isGenuine(token, other), false, JSON.stringify(other));
    assert.equal(createProofTokens(randomBytes(32)).isGenuine(token, source), false);
  });

  it('is no other text: not in another case, with a sign more, fewer or changed', () => {
    const changed = [
      token.toLowerCase(),
      token.toUpperCase(),
      `${token}A`,
      token.slice(0, -1),
      ` ${token}`,
      `${token}\n`,
    ];
    for (let at = 4; at < token.length; at += 1) {
      const sign = token[at] === 'A' ? 'B' : 'A';
      changed.push(`${token.slice(0, at)}${sign}${token.slice(at + 1)}`);
    }
    for (const text of changed) assert.equal(tokens.isGenuine(text, source), false, text);
  });

  it('is read from nothing that has another form', () => {
    for (const text of ['', 'cwp_', token.slice(4), token.replace('cwp_', 'cwr_'), `${token} `, 'x'.repeat(1_000_000)])
      assert.equal(readProofToken(text), undefined, text.slice(0, 50));
  });
});
