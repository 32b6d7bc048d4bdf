import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where one platform keeps its data, logs, secrets and running state; in a checkout, `.causeway`. */
export interface Home {
  readonly dir: string;
  readonly data: string;
  readonly logs: string;
  readonly lock: string;
  readonly children: string;
  readonly adminPassword: string;
  readonly masterKey: string;
  readonly internalKey: string;
  readonly fieldKey: string;
}

/** @returns the places in a home; nothing is made or looked at */
export function homeAt(dir: string): Home {
  const inside = (name: string): string => path.join(dir, name);
  return {
    dir,
    data: inside('data'),
    logs: inside('logs'),
    lock: inside('stack.lock'),
    children: inside('children.json'),
    adminPassword: inside('admin-password'),
    masterKey: inside('master-key'),
    internalKey: inside('internal-key'),
    fieldKey: inside('field-key'),
  };
}

/** Makes the folders of a home, where they are not there yet. */
export function createHome(home: Home): void {
  for (const dir of [home.dir, home.data, home.logs]) mkdirSync(dir, { recursive: true });
}

/** Removes what the stack has put there, and nothing else. */
export function emptyHome(home: Home): void {
  // One by one: the folder is a setting, and might hold what is not ours.
  for (const each of [
    home.data,
    home.logs,
    home.children,
    home.adminPassword,
    home.masterKey,
    home.internalKey,
    home.fieldKey,
    home.lock,
  ]) {
    rmSync(each, { recursive: true, force: true });
  }
}

/** True when there is anything that `emptyHome` would remove. */
export function holdsAnything(home: Home): boolean {
  const { data, logs, children, adminPassword, masterKey, internalKey, fieldKey } = home;
  return [data, logs, children, adminPassword, masterKey, internalKey, fieldKey].some((each) => existsSync(each));
}

/** Writes a file so that a reader finds the old content or the new, never a part. */
export function writeWhole(file: string, content: string, mode = 0o644): void {
  writeFileSync(`${file}.part`, content, { mode });
  renameSync(`${file}.part`, file);
}
