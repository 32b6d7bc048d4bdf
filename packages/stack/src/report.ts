import process from 'node:process';

/** Where the stack says what it does. */
export interface Reporter {
  /** One line, or a few. */
  say(text: string): void;
  /** Something that takes a while and whose length is known. */
  progress(name: string, totalBytes: number): Progress;
}

export interface Progress {
  /** @param doneBytes - how far it is, from the beginning */
  at(doneBytes: number): void;
  end(): void;
}

/** Says nothing: for tests. */
export const silent: Reporter = {
  say: () => undefined,
  progress: () => ({ at: () => undefined, end: () => undefined }),
};

const barWidth = 24;

/** @returns a bar such as `mongod [██████      ]  50 %` */
export function bar(name: string, done: number, total: number): string {
  const share = total <= 0 ? 0 : Math.min(1, done / total);
  const filled = Math.round(share * barWidth);
  return `${name} [${'█'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}

/** For a person at a terminal: one line of bars that is drawn again, below what has been said. */
export function terminalReporter(stream: NodeJS.WriteStream = process.stdout): Reporter {
  const running = new Map<string, readonly [done: number, total: number]>();
  let drawnAt = 0;
  const clear = (): void => void stream.write('\r\x1b[2K');
  const draw = (): void => {
    if (running.size === 0) return;
    const line = [...running].map(([name, [done, total]]) => bar(name, done, total)).join('  ');
    clear();
    stream.write(line.slice(0, Math.max(20, stream.columns - 1)));
  };
  return {
    say: (text) => {
      clear();
      stream.write(`${text}\n`);
      draw();
    },
    progress: (name, totalBytes) => {
      running.set(name, [0, totalBytes]);
      return {
        at: (doneBytes) => {
          running.set(name, [doneBytes, totalBytes]);
          if (performance.now() - drawnAt < 100) return;
          drawnAt = performance.now();
          draw();
        },
        end: () => {
          running.delete(name);
          clear();
          draw();
        },
      };
    },
  };
}

/** For a log: whole lines only, and of a download one at each quarter. */
export function lineReporter(write: (text: string) => void): Reporter {
  return {
    say: (text) => write(`${text}\n`),
    progress: (name, totalBytes) => {
      let quarter = 0;
      return {
        at: (doneBytes) => {
          const reached = totalBytes <= 0 ? 0 : Math.min(4, Math.floor((doneBytes / totalBytes) * 4));
          if (reached <= quarter) return;
          quarter = reached;
          write(`${name}: ${reached * 25} % of ${megabytes(totalBytes)}\n`);
        },
        end: () => undefined,
      };
    },
  };
}

/** The reporter that fits this process's standard output. */
export function consoleReporter(): Reporter {
  return process.stdout.isTTY ? terminalReporter() : lineReporter((text) => void process.stdout.write(text));
}

/** @returns bytes as `42 MB` */
export function megabytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
