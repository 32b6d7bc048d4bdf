import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { newTotpSecret, totpStep, totpUri } from './totp.ts';

/** "12345678901234567890" in Base32: the secret of RFC 6238, Appendix B. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number): Date => new Date(seconds * 1000);

describe('codes of an authenticator app', () => {
  it('are those of RFC 6238, Appendix B, in six digits', async () => {
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_111_111_111, '050471'],
      [1_234_567_890, '005924'],
      [2_000_000_000, '279037'],
      [20_000_000_000, '353130'],
    ] as const) {
      assert.equal(await totpStep({ secret, code, at: at(seconds) }), Math.floor(seconds / 30), code);
    }
  });

  it('are taken a step early and a step late, and no more', async () => {
    const code = '050471';
    const step = Math.floor(1_111_111_111 / 30);
    for (const [later, expected] of [
      [-60, undefined],
      [-30, step],
      [30, step],
      [60, undefined],
      [86_400, undefined],
    ] as const) {
      assert.equal(await totpStep({ secret, code, at: at(1_111_111_111 + later) }), expected, `${later}`);
    }
  });

  it('are taken after the last one only, whatever the clock says', async () => {
    const now = at(1_111_111_111);
    const step = Math.floor(1_111_111_111 / 30);
    const code = '050471';
    assert.equal(await totpStep({ secret, code, at: now, lastStep: step - 1 }), step);
    assert.equal(await totpStep({ secret, code, at: now, lastStep: step }), undefined);
    assert.equal(await totpStep({ secret, code, at: now, lastStep: step + 1 }), undefined);
    // Nor where the clock has been put back.
    assert.equal(await totpStep({ secret, code, at: now, lastStep: step + 1_000_000 }), undefined);
  });

  it('are taken as people type them, and nothing else is', async () => {
    const now = at(1_111_111_111);
    for (const code of ['050 471', ' 050471 ', '０５０４７１']) {
      assert.notEqual(await totpStep({ secret, code, at: now }), undefined, code);
    }
    for (const code of ['50471', '0050471', '05047a', '-50471', '5e5', '', '٠٥٠٤٧١', '050471\u0000']) {
      assert.equal(await totpStep({ secret, code, at: now }), undefined, JSON.stringify(code));
    }
  });

  it('come from a secret of 160 bits, of which the app is told by a URI', () => {
    const fresh = newTotpSecret();
    assert.match(fresh, /^[A-Z2-7]{32}$/);
    assert.notEqual(fresh, newTotpSecret());
    const uri = new URL(totpUri({ issuer: 'causeway', label: 'ada@example.com', secret: fresh }));
    assert.equal(uri.protocol, 'otpauth:');
    assert.equal(uri.host, 'totp');
    assert.equal(decodeURIComponent(uri.pathname), '/causeway:ada@example.com');
    assert.equal(uri.searchParams.get('secret'), fresh);
    assert.equal(uri.searchParams.get('issuer'), 'causeway');
  });
});
