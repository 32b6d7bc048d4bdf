import { typedCode } from '../factors/enrol-totp.route.ts';
import type { SecondProof } from '../factors/second-proof.ts';
import { passkeyAnswer } from '../factors/passkeys/passkey-bodies.ts';
import type { PasskeyAnswer } from '../factors/passkeys/passkey-bodies.ts';

/** Members of a body that are a proof beside a password: one of them is sent. */
export const secondProofs = [
  { totp: typedCode.meta({ description: 'The six digits that the authenticator app shows.' }) },
  { recoveryCode: typedCode.meta({ description: 'One of those on paper; each is taken once.' }) },
  { passkey: passkeyAnswer.meta({ description: 'What the authenticator has answered to the options.' }) },
] as const;

type Given = { readonly totp: string } | { readonly recoveryCode: string } | { readonly passkey: PasskeyAnswer };

/** @returns the proof of a body that has one of {@link secondProofs} */
export const secondProofOf = (body: Given): SecondProof => {
  if ('totp' in body) return { kind: 'totp', code: body.totp };
  return 'passkey' in body
    ? { kind: 'passkey', answer: body.passkey }
    : { kind: 'recovery-code', code: body.recoveryCode };
};
