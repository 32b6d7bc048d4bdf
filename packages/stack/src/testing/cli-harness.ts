import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { homeAt } from '../home/home.ts';
import { lockHolder } from '../home/lock.ts';
import { isAlive, type ProcessIdentity } from '../processes/identity.ts';
import { type RecordedChild, recordedChildren } from '../processes/strays.ts';
import { throwAwaySettings } from '../settings.ts';

const cli = path.join(import.meta.dirname, '../cli.ts');
export const fixtureCheckout = path.join(import.meta.dirname, 'fixtures/checkout');

/** A command line that is running, or has run. */
export interface Command {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
  /** Resolves when the output matches; rejects when the command ends before, or takes too long. */
  readonly says: (pattern: RegExp) => Promise<void>;
}

/** Runs the stack's commands in a home of each test's own, and ends whatever a test leaves. */
export class CliHarness {
  dir = '';
  env: NodeJS.ProcessEnv = {};
  readonly #checkout: string;
  #started: Command[] = [];

  /**
   * To be called inside `describe`.
   *
   * @param checkout - whose services are run; those of the fixture by default
   */
  constructor(checkout: string = fixtureCheckout) {
    this.#checkout = checkout;
    beforeEach(async () => {
      this.dir = await mkdtemp(path.join(tmpdir(), 'cli-'));
      const { ports } = await throwAwaySettings(checkout, this.dir);
      const own = Object.entries(ports).map(([name, port]) => [name, String(port)] as const);
      const compiled = process.env.NODE_COMPILE_CACHE ?? path.join(tmpdir(), 'causeway-cli-compiled');
      // The servers of this run, so that a start takes a moment; a test that wants its own takes them out.
      this.env = {
        ...process.env,
        ...Object.fromEntries(own),
        NODE_COMPILE_CACHE: compiled,
        CAUSEWAY_HOME: this.dir,
        npm_lifecycle_event: undefined,
      };
    });
    afterEach(async () => {
      if (this.holder() !== undefined || this.identities().some(isAlive)) await this.run('stop').ended;
      for (const command of this.#started) command.process.kill('SIGKILL');
      this.#started = [];
      await rm(this.dir, { recursive: true });
    });
  }

  /** @returns the arguments with which Node runs a command */
  args(...args: string[]): string[] {
    return ['--conditions=development', cli, ...args, '--checkout', this.#checkout];
  }

  run(...args: string[]): Command {
    return this.follow(spawn(process.execPath, this.args(...args), { env: this.env }));
  }

  follow(child: ChildProcess): Command {
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
    }
    const ended = once(child, 'close').then(([code]) => code as number | null);
    const says = async (pattern: RegExp): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!pattern.test(text)) {
        const isLate = performance.now() > deadline || child.exitCode !== null;
        assert.ok(!isLate, `waited for ${pattern.source}, got:\n${text}`);
        await wait(20);
      }
    };
    const command = { process: child, output: () => text, ended, says };
    this.#started.push(command);
    return command;
  }

  children(): RecordedChild[] {
    return recordedChildren(homeAt(this.dir).children);
  }

  identities(): ProcessIdentity[] {
    return this.children().flatMap(({ identity }) => identity ?? []);
  }

  holder(): ProcessIdentity | undefined {
    return lockHolder(homeAt(this.dir).lock)?.holder;
  }

  url(setting: string): string {
    return `http://127.0.0.1:${this.env[setting] ?? ''}`;
  }
}
