import { existsSync, readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

/** Changes that come together count as one. */
const settleMs = 150;

/** The workspace packages that each package or service uses, directly or through others, by folder (`packages/events`). */
export type Uses = ReadonlyMap<string, ReadonlySet<string>>;

/** @param manifests - the content of each `package.json`, by folder */
export function usesOf(manifests: ReadonlyMap<string, string>): Uses {
  const parsed = [...manifests].map(([folder, text]) => {
    const { name = '', dependencies = {} } = JSON.parse(text) as {
      name?: string;
      dependencies?: Record<string, string>;
    };
    return { folder, name, dependencies: Object.keys(dependencies) };
  });
  const folderOf = new Map(parsed.map(({ folder, name }) => [name, folder]));
  const direct = new Map(
    parsed.map(({ folder, dependencies }) => [folder, dependencies.flatMap((name) => folderOf.get(name) ?? [])]),
  );
  const reach = (folder: string, seen: Set<string>): Set<string> => {
    for (const next of direct.get(folder) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      reach(next, seen);
    }
    return seen;
  };
  return new Map(parsed.map(({ folder }) => [folder, reach(folder, new Set())]));
}

/**
 * @param changed - a file, relative to the checkout
 * @returns the running services that have to be started again for it
 */
export function servicesToRestart(changed: string, running: readonly string[], uses: Uses): string[] {
  const [kind, name, top] = changed.split(path.sep);
  const isCode = top === 'src' && /\.(ts|json)$/.test(changed) && !/\.spec\.ts$|(^|\/)testing\//.test(changed);
  if (!isCode || kind === undefined || name === undefined) return [];
  if (kind === 'services') return running.filter((each) => each === name);
  return running.filter((each) => uses.get(`services/${each}`)?.has(`${kind}/${name}`) ?? false);
}

/**
 * Watches the sources of a checkout.
 *
 * @param onChange - told which services have to be started again, once the changes have settled
 */
export function watchSources(
  checkout: string,
  running: readonly string[],
  onChange: (services: readonly string[], file: string) => void,
): { close(): void } {
  const folders = ['packages', 'services'].flatMap((kind) => sourceFolders(checkout, kind));
  const uses = usesOf(readManifests(checkout, running));
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watchers: FSWatcher[] = folders.map((folder) =>
    watch(path.join(checkout, folder), { recursive: true }, (_event, file) => {
      if (file === null) return;
      const changed = path.join(folder, file);
      for (const service of servicesToRestart(changed, running, uses)) pending.add(service);
      if (pending.size === 0) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        const restarted = [...pending];
        pending.clear();
        onChange(restarted, changed);
      }, settleMs);
    }),
  );
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Folder by folder: to watch a whole project would be to watch its dependencies. */
function sourceFolders(checkout: string, kind: string): string[] {
  const parent = path.join(checkout, kind);
  const names = existsSync(parent) ? readdirSync(parent) : [];
  return names.map((name) => path.join(kind, name, 'src')).filter((folder) => existsSync(path.join(checkout, folder)));
}

function readManifests(checkout: string, running: readonly string[]): Map<string, string> {
  const manifests = new Map<string, string>();
  const add = (folder: string): void => {
    const file = path.join(checkout, folder, 'package.json');
    if (manifests.has(folder) || !existsSync(file)) return;
    const text = readFileSync(file, 'utf8');
    manifests.set(folder, text);
    for (const [, name] of text.matchAll(/"@causeway\/([^"]+)"\s*:/g)) add(`packages/${name ?? ''}`);
  };
  for (const service of running) add(`services/${service}`);
  return manifests;
}
