import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** What a process of Node holds at a moment, in bytes. */
export interface Memory {
  /** Objects and buffers that something still refers to: read right after a full collection of garbage. */
  readonly live: number;
  /** Of these, what lies in buffers outside of the heap. */
  readonly external: number;
  /** What the system has given to the process, as it was before that collection. */
  readonly resident: number;
}

/** Looks into one process. */
export interface MemoryReader {
  readonly read: () => Promise<Memory>;
  readonly close: () => void;
}

/** Has every process of Node listen for {@link openMemoryReader}, on a port that it finds for itself and writes into its log. */
export const readableMemory: Readonly<Record<string, string>> = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** One answer of an inspector may take so long: its process may be busy. */
const answerMs = 30_000;

/**
 * Opens the inspector (https://chromedevtools.github.io/devtools-protocol/) of a service. What a process has of garbage says nothing of what it
 * holds, so that it is collected first.
 *
 * @param home - of a platform that was started with {@link readableMemory}
 * @param name - of the service
 */
export async function openMemoryReader(home: string, name: string): Promise<MemoryReader> {
  const log = await readFile(path.join(home, 'logs', `${name}.log`), 'utf8');
  const address = [...log.matchAll(/^Debugger listening on (ws:\S+)$/gm)].at(-1)?.[1];
  if (address === undefined) throw new Error(`${name} has told of no inspector`);
  const socket = new WebSocket(address);
  const { promise: opened, resolve, reject } = Promise.withResolvers<undefined>();
  socket.addEventListener('open', () => resolve(undefined));
  socket.addEventListener('error', () => reject(new Error(`the inspector of ${name} cannot be reached`)));
  await opened;

  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  let last = 0;
  const ask = (method: string, params: object = {}): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    const id = (last += 1);
    const late = setTimeout(() => answer.reject(new Error(`${name} does not answer ${method}`)), answerMs);
    waiting.set(id, answer.resolve);
    socket.send(JSON.stringify({ id, method, params }));
    return answer.promise.finally(() => {
      clearTimeout(late);
      waiting.delete(id);
    });
  };
  const usage = async (): Promise<NodeJS.MemoryUsage> => {
    const expression = 'JSON.stringify(process.memoryUsage())';
    const { result } = (await ask('Runtime.evaluate', { expression })) as {
      readonly result: { readonly value: string };
    };
    return JSON.parse(result.value) as NodeJS.MemoryUsage;
  };
  await ask('HeapProfiler.enable');
  return {
    async read() {
      const before = await usage();
      await ask('HeapProfiler.collectGarbage');
      const { heapUsed, external } = await usage();
      return { live: heapUsed + external, external, resident: before.rss };
    },
    close: () => socket.close(),
  };
}
