import { chmodSync, closeSync, createReadStream, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { Unzip, UnzipInflate } from 'fflate';

/**
 * Unpacks a zip file as it is read, so that a server of 140 MB does not pass through memory as a whole.
 *
 * @param wanted - the name in the folder for an entry of the archive; `undefined`: leave it out
 * @param isProgram - the entries that are to be executable: a wheel's own record of it is not kept by every packer
 * @returns the entries that were written
 * @throws Error when an entry would leave the folder, or the archive is broken
 */
export async function unzip(
  file: string,
  folder: string,
  wanted: (entry: string) => string | undefined,
  isProgram: (entry: string) => boolean,
): Promise<string[]> {
  const written: string[] = [];
  let fault: unknown;
  const unzipper = new Unzip((entry) => {
    const name = entry.name.endsWith('/') ? undefined : wanted(entry.name);
    if (name === undefined) return;
    const target = path.join(folder, name);
    if (!target.startsWith(folder + path.sep)) throw new Error(`${entry.name} leaves the folder`);
    mkdirSync(path.dirname(target), { recursive: true });
    const fd = openSync(target, 'w');
    entry.ondata = (error, data, final) => {
      if (error !== null) fault ??= error;
      else writeSync(fd, data);
      if (!final && error === null) return;
      closeSync(fd);
      if (isProgram(entry.name)) chmodSync(target, 0o755);
      written.push(entry.name);
    };
    entry.start();
  });
  unzipper.register(UnzipInflate);
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    unzipper.push(chunk as Uint8Array);
    if (fault !== undefined) throw fault instanceof Error ? fault : new Error('the archive is broken');
  }
  unzipper.push(new Uint8Array(), true);
  return written;
}
