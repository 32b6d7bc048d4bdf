import type { Feature, Ground } from '../feature.ts';
import { jwksRoute } from './jwks.route.ts';
import { createMasterKey } from './master-key.ts';
import { announceEveryMs, createAnnounce } from './replicas.ts';
import { signingKeyStore } from './signing-key.model.ts';
import { loadSigningKeys } from './signing-keys.ts';

/**
 * The keys that access tokens are signed with.
 *
 * @throws Error where the root key is not the one that they are encrypted under
 */
export async function createKeys({
  config,
  database,
  events,
  masterKey,
  now,
}: Pick<Ground, 'config' | 'database' | 'events' | 'masterKey' | 'now'>) {
  const vault = masterKey.vault('signing-keys');
  const signingKeys = await loadSigningKeys({ store: signingKeyStore(database), vault, now });
  const announce = createAnnounce(events.db, createMasterKey(config.masterKey).id);
  return {
    signingKeys,
    routes: [jwksRoute({ signingKeys })],
    begin: announce,
    jobs: [{ name: 'announce-replica', everyMs: announceEveryMs, run: announce }],
  } satisfies Feature;
}

/** What {@link createKeys} gives. */
export type Keys = Awaited<ReturnType<typeof createKeys>>;
