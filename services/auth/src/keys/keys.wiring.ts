import { bySystem, createMasterKey } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import { createAdvanceKeyring } from './advance-keyring.ts';
import { ensureKeyring } from './ensure-keyring.ts';
import { formerKeys } from './former-keys.ts';
import { jwksRoute } from './jwks.route.ts';
import { watchKeyAge } from './key-age-gauge.ts';
import { keyringReader, keyringsCollection } from './keyring.model.ts';
import { createKeyring } from './keyring.ts';
import { mastersOf } from './root-key.ts';
import { createTellResealed } from './tell-resealed.ts';
import { announceEveryMs, createAnnounce } from './replicas.ts';

const advanceEveryMs = 10_000;

type KeysGround = Pick<Ground, 'config' | 'events' | 'keyrings' | 'logger' | 'masterKey' | 'now'>;

/** The keys that access tokens are signed with. */
export function createKeys({ config, events, keyrings, logger, masterKey, now }: KeysGround) {
  const { keyRotationMs: rotationMs, keyStageMs: stageMs } = config;
  const vault = masterKey.vault('signing-keys');
  const former = formerKeys(events.db);
  const keyring = createKeyring({ read: keyringReader(keyrings), vault, stageMs, now });
  const advance = createAdvanceKeyring({ keyrings, keyring, vault, times: { rotationMs, stageMs }, logger });
  const announce = createAnnounce(events.db, createMasterKey(config.masterKey, 'auth').id);
  events.stream.subscribe(({ collection }) => {
    // What another replica has done is read at once; where that fails, the job reads it.
    if (collection === keyringsCollection) void keyring.refresh().catch(() => undefined);
  });
  const openedBy = () => mastersOf(events.db);
  const tellResealed = createTellResealed({ keyrings, openedBy });
  const rotate = async (signal: AbortSignal): Promise<void> => {
    if ((await advance(bySystem(), signal)) > 0) await former.forget((await keyring.refresh()).keys);
  };
  return {
    keyring,
    routes: [jwksRoute({ keyring })],
    begin: async () => {
      await ensureKeyring({ keyrings, former, vault, now, openedBy }, bySystem());
      await former.forget((await keyring.refresh()).keys);
      await announce();
    },
    jobs: [
      { name: 'rotate-keys', everyMs: advanceEveryMs, run: rotate },
      { name: 'watch-key-age', everyMs: advanceEveryMs, run: watchKeyAge(keyring) },
      { name: 'tell-resealed', everyMs: advanceEveryMs, run: () => tellResealed(bySystem()) },
      { name: 'announce-replica', everyMs: announceEveryMs, run: announce },
    ],
  } satisfies Feature;
}

/** What {@link createKeys} gives. */
export type Keys = ReturnType<typeof createKeys>;
