import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { loopback } from '../processes/ports.ts';
import { hasTool } from '../sources/run-tool.ts';

/** A way to run a program: as it is, or in a container. */
export interface Launcher {
  /** The interface on which the program has to listen so that it is reached at the loopback interface of this machine. */
  readonly bind: string;
  /** @returns the command line that runs the program with these arguments */
  readonly commandLine: (args: readonly string[]) => { readonly command: string; readonly args: readonly string[] };
  readonly cleanUp?: () => Promise<void>;
}

/** A program and its version, found somewhere. */
export interface Program {
  readonly version: string;
  /** Where it was found, for a person. */
  readonly origin: string;
  readonly launcherFor: (place: Place) => Launcher;
}

/** What a container has to be given of this machine. */
export interface Place {
  readonly name: string;
  /** The folder that it reads and writes, under the same path inside. */
  readonly dir: string;
  readonly ports: readonly number[];
}

/** Runs a binary of this machine. */
export function binary(command: string, leading: readonly string[] = []): (place: Place) => Launcher {
  return () => ({ bind: loopback, commandLine: (args) => ({ command, args: [...leading, ...args] }) });
}

/** Runs a program of an image, as this user. Not tried on every platform: the last resort. */
export function container(image: string, entry: string, leading: readonly string[] = []): (place: Place) => Launcher {
  return ({ name, dir, ports }) => {
    // Two homes on one machine must not end each other's containers.
    const containerName = `causeway-${name}-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`;
    const user = process.getuid === undefined ? [] : ['--user', `${process.getuid()}:${process.getgid?.() ?? 0}`];
    const published = ports.flatMap((port) => ['-p', `${loopback}:${port}:${port}`]);
    const options = ['--rm', '--init', '--name', containerName, '-v', `${dir}:${dir}`, '--entrypoint', entry];
    return {
      bind: '0.0.0.0',
      commandLine: (args) => ({
        command: 'docker',
        args: ['run', ...options, ...user, ...published, image, ...leading, ...args],
      }),
      cleanUp: async () => {
        await once(spawn('docker', ['rm', '--force', containerName], { stdio: 'ignore' }), 'exit');
      },
    };
  };
}

/** True when a Docker daemon answers within five seconds. */
export function dockerAnswers(): boolean {
  if (!hasTool('docker', ['--version'])) return false;
  const info = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { stdio: 'ignore', timeout: 5000 });
  return info.status === 0;
}
