import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { platformVariable } from './platform-variable.ts';

/** The platform that the specs of one run share, as the runner hands it to each of their processes. */
export interface SharedPlatform {
  readonly home: string;
  /** Addresses of services and servers by name: `gateway`, `auth`, …, `mongodb`, `kafka`, `redis`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly adminEmail: string;
  readonly adminPassword: string;
  /** The file in which the specs' client keeps the secrets that it uses; absent where nobody looks for them. */
  readonly secrets?: string;
}

/** A child of the platform's supervisor, as that has written it down. */
export interface PlatformChild {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  readonly pid?: number;
}

/** The file of a home in which the supervisor keeps what it runs. */
const childrenFile = 'children.json';

const handed = process.env[platformVariable];
if (handed === undefined) throw new Error(`${platformVariable} is not set: e2e specs are run by npm run test-e2e`);

export const platform = JSON.parse(handed) as SharedPlatform;

/**
 * @returns the address of a service or server
 * @throws Error when the platform has none of that name
 */
export function addressOf(name: string): string {
  const url = platform.urls[name];
  if (url === undefined) throw new Error(`the platform has no ${name}`);
  return url;
}

/** @returns a child as it is now */
export function childOf(name: string): PlatformChild {
  const children = JSON.parse(readFileSync(path.join(platform.home, childrenFile), 'utf8')) as PlatformChild[];
  const child = children.find((each) => each.name === name);
  if (child === undefined) throw new Error(`the platform runs no ${name}`);
  return child;
}

/** Ends a child and whatever it has started as a power cut would: it learns nothing of it. */
export function killChild(name: string): void {
  const { pid } = childOf(name);
  if (pid === undefined) throw new Error(`${name} has no process to kill`);
  // Each child leads a process group of its own.
  process.kill(-pid, 'SIGKILL');
}
