import path from 'node:path';
import { StackError } from '../stack-error.ts';
import type { Home } from '../home/home.ts';
import { restartBackoff } from './backoff.ts';
import { ChildLog } from './child-log.ts';
import type { ChildSpec, ChildStatus } from './child-spec.ts';
import { isPortFree, portOwner } from './ports.ts';
import { recordChildren } from './strays.ts';
import { SupervisedChild, type ChildLimits } from './supervised-child.ts';

export const defaultLimits: ChildLimits = {
  backoff: restartBackoff,
  attemptsAtStart: 3,
  attemptsLater: 6,
  stableAfterMs: 30_000,
};

const rotationEveryMs = 10_000;

/** Runs the children of one home, writes down which they are, and ends them in the reverse of their order. */
export class Supervisor {
  readonly #home: Home;
  readonly #say: (text: string) => void;
  readonly #limits: ChildLimits;
  readonly #children = new Map<string, SupervisedChild>();
  readonly #rotation: NodeJS.Timeout;
  #stopped: Promise<void> | undefined;

  constructor(home: Home, say: (text: string) => void, limits: ChildLimits = defaultLimits) {
    this.#home = home;
    this.#say = say;
    this.#limits = limits;
    this.#rotation = setInterval(() => {
      for (const child of this.#children.values()) child.log.rotateIfLarge();
    }, rotationEveryMs).unref();
  }

  /**
   * Starts children beside each other.
   *
   * @returns when all are ready
   * @throws StackError when one of them is given up, or everything was stopped meanwhile
   */
  async start(specs: readonly ChildSpec[]): Promise<void> {
    if (this.#stopped !== undefined) throw new StackError('it is stopping');
    const started = specs.map((spec) => {
      const log = new ChildLog(path.join(this.#home.logs, `${spec.name}.log`));
      const child = new SupervisedChild(spec, log, this.#limits, { say: this.#say, changed: () => this.#record() });
      this.#children.set(spec.name, child);
      return child.start();
    });
    await Promise.all(started);
  }

  /** Ends a child on purpose and starts it again, also one that was given up. Returns when it is ready. */
  async restart(name: string): Promise<void> {
    const child = this.child(name);
    await child.stop();
    await child.start();
  }

  /** @throws StackError when there is none of that name */
  child(name: string): SupervisedChild {
    const child = this.#children.get(name);
    if (child === undefined) throw new StackError(`${name} is not running here`);
    return child;
  }

  statuses(): ChildStatus[] {
    return [...this.#children.values()].map((child) => child.status());
  }

  /** Ends everything: first the services, then the servers, each in the reverse of the order in which it was started. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    clearInterval(this.#rotation);
    const children = [...this.#children.values()].reverse();
    for (const child of children.filter((each) => each.spec.kind === 'service')) await child.stop();
    // The servers know nothing of each other.
    await Promise.all(children.filter((each) => each.spec.kind === 'server').map((child) => child.stop()));
    for (const child of children) child.log.close();
    this.#children.clear();
    this.#record();
  }

  #record(): void {
    const records = [...this.#children.values()].map((child) => ({
      ...child.status(),
      ...(child.identity === undefined ? {} : { identity: child.identity }),
    }));
    recordChildren(this.#home.children, records);
  }
}

/** @throws StackError that names each port that is taken, by whom, and the setting that moves ours */
export async function assertPortsFree(specs: readonly ChildSpec[]): Promise<void> {
  const taken: string[] = [];
  for (const { name, port, setting } of specs.flatMap((spec) =>
    spec.ports.map((use) => ({ name: spec.name, ...use })),
  )) {
    if (await isPortFree(port)) continue;
    const owner = portOwner(port);
    const who = owner === undefined ? 'a process that this user cannot see' : `pid ${owner.pid} (${owner.command})`;
    taken.push(`port ${port}, for ${name}, is taken by ${who}; end that, or set ${setting} or --port-offset`);
  }
  if (taken.length > 0) throw new StackError(taken.join('\n'));
}
