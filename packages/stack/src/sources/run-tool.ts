import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { wordsOf } from '../stack-error.ts';
import { Unavailable } from './source.ts';

/** True when a program of that name is on the PATH and answers to the arguments. */
export function hasTool(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/**
 * Runs a tool that may take minutes.
 *
 * @param onLine - told each line that it prints
 * @throws Unavailable with its last words when it cannot be started, fails, or takes longer than `timeoutMs`
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs: number },
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  const lines: string[] = [];
  const child = spawn(command, args, { ...options, timeout: options.timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] });
  // Whoever ends us meanwhile must not leave it behind.
  const end = (): void => void child.kill();
  process.once('exit', end);
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (lines.length > 20) lines.shift();
        onLine(line);
      }
    });
  }
  const outcome = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(wordsOf(error)));
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? code ?? 'no status'}`),
    );
  });
  process.off('exit', end);
  if (outcome === undefined) return;
  const words = lines.filter((line) => /error|fail|not/i.test(line)).at(-1) ?? lines.at(-1) ?? '';
  throw new Unavailable(`${command} ${outcome}${words === '' ? '' : `: ${words.trim().slice(0, 200)}`}`);
}
