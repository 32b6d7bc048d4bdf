import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';

type Calls<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends (argument: infer Argument) => infer Result
    ? (argument: Argument) => Promise<Awaited<Result>>
    : never;
};

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A process that answers calls. */
export interface CalledProcess<Api> {
  readonly call: Calls<Api>;
  stop(): Promise<void>;
}

/** No call of a bench takes longer. */
const callMs = 120_000;

/**
 * Starts one of this folder's programs, which answers by {@link answerCalls}.
 *
 * @param program - file name in this folder
 */
export function startCalled<Api extends object>(program: string): CalledProcess<Api> {
  const file = path.join(import.meta.dirname, program);
  // As services are started: see packages/stack.
  const child = fork(file, { execArgv: ['--conditions=development', '--max-semi-space-size=8'] });
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  child.on('message', ({ id, result, error }: Answer) => {
    if (error === undefined) open.get(id)?.resolve(result);
    else open.get(id)?.reject(new Error(error));
    open.delete(id);
  });
  child.once('exit', (code) => {
    for (const each of open.values()) each.reject(new Error(`${program} ended with status ${code ?? 'none'}`));
  });
  const ask = async (name: string, argument: unknown): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    last += 1;
    open.set(last, answer);
    child.send({ id: last, name, argument } satisfies Question);
    const late = setTimeout(() => answer.reject(new Error(`${program} did not answer ${name}`)), callMs);
    return answer.promise.finally(() => clearTimeout(late));
  };
  const call = new Proxy({}, { get: (_, name: string) => (argument: unknown) => ask(name, argument) });
  return {
    call: call as Calls<Api>,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Answers the calls of the process that has started this one. */
export function answerCalls(api: object): void {
  const calls = api as Readonly<Record<string, (argument: unknown) => unknown>>;
  const answer = async ({ id, name, argument }: Question): Promise<Answer> => {
    try {
      return { id, result: await calls[name]?.(argument) };
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
  process.on('message', (question: Question) => {
    void answer(question).then((given) => process.send?.(given));
  });
}
