import { availableParallelism } from 'node:os';

/** Threads of libuv's pool, where hashes run beside file and name look-ups (libuv's default; `UV_THREADPOOL_SIZE` is not set). */
const poolThreads = 4;

/** As many hashes at a time as the machine has cores, but never the whole thread pool. */
export const hashConcurrency = (): number => Math.min(availableParallelism(), poolThreads - 1);
