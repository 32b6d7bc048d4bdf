import { generateSecret, generateURI, verify } from 'otplib';

/** A code is of 30 seconds (RFC 6238 §4.1); the one before and the one after are taken too, for clocks that differ (§5.2). */
const toleranceS = 30;

/** Digits, also of another script's width, such as a keyboard for Japanese types them. */
const codeOf = (typed: string): string => typed.normalize('NFKC').replaceAll(/\s/gu, '');

/** @returns a new secret of 160 bits in Base32, as long as the hash (RFC 4226 §4) */
export const newTotpSecret = (): string => generateSecret({ length: 20 });

/**
 * What an authenticator app reads from a QR code.
 *
 * @param issuer - whose service it is
 * @param label - whose account
 */
export const totpUri = (given: { readonly issuer: string; readonly label: string; readonly secret: string }): string =>
  generateURI(given);

/** A code that somebody has typed, and what it is held against. */
export interface TotpGuess {
  /** Base32. */
  readonly secret: string;
  readonly code: string;
  readonly at: Date;
  /** The step of the last code that was taken. */
  readonly lastStep?: number | undefined;
}

/**
 * @returns the time step of the code, to be remembered as the last; undefined where the code is wrong, or its step or a later one was
 *   taken before
 */
export async function totpStep({ secret, code, at, lastStep }: TotpGuess): Promise<number | undefined> {
  const token = codeOf(code);
  if (!/^[0-9]{6}$/.test(token)) return undefined;
  const epoch = Math.floor(at.getTime() / 1000);
  // What the library will not look at, such as a step of the future, is refused like a wrong code.
  const result = await verify({
    ...{ secret, token, epoch, epochTolerance: toleranceS },
    ...(lastStep !== undefined && { afterTimeStep: lastStep }),
  }).catch(() => undefined);
  return result?.valid === true && 'timeStep' in result ? result.timeStep : undefined;
}
