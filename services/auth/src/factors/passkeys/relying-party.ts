import type { Config } from '../../config.ts';

/** To whom passkeys belong (WebAuthn Level 3, "relying party"). */
export interface RelyingParty {
  /** A domain. */
  readonly id: string;
  /** Shown by authenticators. */
  readonly name: string;
  readonly origins: readonly string[];
}

const isLoopback = (hostname: string): boolean => /^127\.|^\[::1\]$/.test(hostname);

/** @returns whom the settings say; an address is no domain, and a loopback one is as good as `localhost` */
export const relyingPartyOf = ({
  publicUrl,
  tokenIssuer: name,
  passkeyRpId,
  passkeyOrigins,
}: Pick<Config, 'publicUrl' | 'tokenIssuer' | 'passkeyRpId' | 'passkeyOrigins'>): RelyingParty => {
  const { origin, hostname, protocol, port } = new URL(publicUrl);
  const local = isLoopback(hostname) ? [`${protocol}//localhost${port === '' ? '' : `:${port}`}`] : [];
  const id = passkeyRpId ?? (local.length > 0 ? 'localhost' : hostname);
  return { id, name, origins: [...new Set([origin, ...local, ...passkeyOrigins])] };
};
