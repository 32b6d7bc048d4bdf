import type { Feature, Ground } from '../feature.ts';
import { jwksRoute } from './jwks.route.ts';
import { signingKeyStore } from './signing-key.model.ts';
import { loadSigningKeys } from './signing-keys.ts';

/**
 * The keys that access tokens are signed with.
 *
 * @throws Error where the master key is not the one that they are encrypted under
 */
export async function createKeys({ database, masterKey, now }: Pick<Ground, 'database' | 'masterKey' | 'now'>) {
  const vault = masterKey.vault('signing-keys');
  const signingKeys = await loadSigningKeys({ store: signingKeyStore(database), vault, now });
  return { signingKeys, routes: [jwksRoute({ signingKeys })] } satisfies Feature;
}

/** What {@link createKeys} gives. */
export type Keys = Awaited<ReturnType<typeof createKeys>>;
