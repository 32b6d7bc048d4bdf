import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

/** What a process of load is to do. */
export interface LoadOrder {
  readonly origin: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Taken in turn, by all connections together; `{n}` in them as in the body. */
  readonly paths: readonly string[];
  /** Ends when each path has been taken once, even if there is time left. */
  readonly onceEach?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** `{n}` in it becomes a number that differs from request to request. */
  readonly body?: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What came of it. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** How many answers of each status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/**
 * Runs one of this folder's programs in a process of its own, so that measuring takes nothing from what is measured in this
 * one, and waits for what it prints.
 *
 * @param program - file name in this folder
 * @param order - handed over as JSON on its input
 * @param signal - ends it early
 * @throws Error when it does not end well in time
 */
export function runProgram<Result>(
  program: string,
  order: unknown,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Result> {
  const file = path.join(import.meta.dirname, program);
  const child = spawn(process.execPath, ['--conditions=development', file], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  child.stdin.end(JSON.stringify(order));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      if (code === 0) resolve(JSON.parse(last) as Result);
      else reject(new Error(`${program} ended with status ${code ?? 'none'}: ${output}`));
    });
  });
}

/**
 * Loads a server.
 *
 * @throws Error when not every answer was a success: a refusal is quick, and would count as speed
 */
export async function load(order: LoadOrder): Promise<LoadResult> {
  const result = await runProgram<LoadResult>('load.ts', order, order.warmUpMs + order.measureMs + 60_000);
  const failed = Object.entries(result.statuses).filter(([status]) => !status.startsWith('2'));
  if (failed.length > 0 || result.errors > 0) {
    throw new Error(
      `${order.method} ${order.paths[0] ?? ''}: ${result.errors} errors, answers ${JSON.stringify(result.statuses)}`,
    );
  }
  return result;
}
