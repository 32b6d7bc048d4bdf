import { createReadStream, globSync } from 'node:fs';
import path from 'node:path';
import type { Piece } from './piece.ts';

/**
 * Every file of text in the platform's home: what services, servers and the supervisor have said. Data files are left out: they
 * are compressed, and read through their servers.
 *
 * @param longest - of what is looked for, in bytes: pieces overlap by as much
 */
export async function* inFiles(home: string, longest: number): AsyncGenerator<Piece> {
  for (const file of globSync(['*.log', '*.json', 'logs/**/*'], { cwd: home })) {
    let kept: Buffer = Buffer.alloc(0);
    const stream = createReadStream(path.join(home, file), { highWaterMark: 2 ** 22 });
    stream.on('error', () => undefined);
    try {
      for await (const chunk of stream) {
        const bytes = Buffer.concat([kept, chunk as Buffer]);
        yield { where: file, bytes };
        kept = bytes.subarray(Math.max(0, bytes.length - longest + 1));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    }
  }
}
