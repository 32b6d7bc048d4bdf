import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { strToU8, zipSync } from 'fflate';
import { silent } from '../report.ts';
import { fetchArchive } from './archive.ts';
import { Cache } from './cache.ts';
import { download } from './download.ts';
import { Unavailable } from './source.ts';
import { unzip } from './unzip.ts';

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('fetching', () => {
  let dir: string;
  let server: Server;
  let base: string;
  let tgz: Buffer;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'fetch-'));
    await mkdir(path.join(dir, 'release-1.0', 'bin'), { recursive: true });
    await writeFile(path.join(dir, 'release-1.0', 'bin', 'program'), '#!/bin/sh\necho 1.0\n', { mode: 0o755 });
    assert.equal(spawnSync('tar', ['-czf', 'release.tgz', 'release-1.0'], { cwd: dir }).status, 0);
    tgz = await readFile(path.join(dir, 'release.tgz'));
    server = createServer((request, response) => {
      if (request.url === '/release.tgz') response.end(tgz);
      else if (request.url === '/moved') response.writeHead(302, { location: '/release.tgz' }).end();
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });

  it('downloads, through a redirect, and tells how far it is', async () => {
    const file = path.join(dir, 'downloaded');
    let bytes = 0;
    await download(`${base}/moved`, file, (sofar) => (bytes = sofar));
    assert.deepEqual(await readFile(file), tgz);
    assert.equal(bytes, tgz.length);
  });

  it('passes over a host that has no such file, or does not listen', async () => {
    await assert.rejects(
      download(`${base}/other.tgz`, path.join(dir, 'x'), () => undefined),
      (error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /answers 404 for \/other\.tgz/);
        return true;
      },
    );
    await assert.rejects(
      download('http://127.0.0.1:1/x', path.join(dir, 'x'), () => undefined),
      Unavailable,
    );
  });

  it('passes over a host that accepts and then does not connect, after five seconds', async () => {
    const silentServer = createTcpServer(() => undefined);
    await new Promise<void>((resolve) => silentServer.listen(0, '127.0.0.1', resolve));
    const { port } = silentServer.address() as AddressInfo;
    await assert.rejects(
      download(`https://127.0.0.1:${port}/x`, path.join(dir, 'x'), () => undefined),
      (error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /no connection within 5 s/);
        return true;
      },
    );
    silentServer.close();
  });

  it('unpacks a release that is the pinned one', async () => {
    const folder = await mkdtemp(path.join(dir, 'good-'));
    const archive = { url: `${base}/release.tgz`, sha256: sha256(tgz), sizeBytes: tgz.length };
    await fetchArchive('release', archive, folder, silent);
    assert.equal(spawnSync(path.join(folder, 'bin', 'program'), { encoding: 'utf8' }).stdout, '1.0\n');
  });

  it('refuses one of another checksum before it is unpacked, and keeps nothing of it', async () => {
    const cache = new Cache(path.join(dir, 'cache'));
    const archive = { url: `${base}/release.tgz`, sha256: sha256(strToU8('another')), sizeBytes: tgz.length };
    let unpacked: string[] = [];
    const make = async (draft: string): Promise<void> => {
      await fetchArchive('release', archive, draft, silent).finally(async () => (unpacked = await readdir(draft)));
    };
    await assert.rejects(cache.obtain('release-1.0', make, silent), (error) => {
      assert.ok(error instanceof Unavailable);
      assert.match(error.message, new RegExp(`checksum of release\\.tgz is ${sha256(tgz)}.*refused`));
      return true;
    });
    assert.deepEqual(unpacked, ['release.tgz']);
    assert.equal(cache.find('release-1.0'), undefined);
    assert.deepEqual(await readdir(path.join(dir, 'cache')), []);
  });

  it('fetches once what many want at the same time', async () => {
    const [one, other] = [new Cache(path.join(dir, 'shared')), new Cache(path.join(dir, 'shared'))];
    let made = 0;
    const make = async (draft: string): Promise<void> => {
      made += 1;
      await writeFile(path.join(draft, 'file'), 'whole');
    };
    const folders = await Promise.all([one, other, one].map((cache) => cache.obtain('thing', make, silent)));
    assert.equal(made, 1);
    assert.equal(new Set(folders).size, 1);
    assert.deepEqual(await readdir(path.join(dir, 'shared')), ['thing']);
  });
});

describe('unzip', () => {
  it('writes what is wanted, with the programs executable', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'unzip-'));
    const large = new Uint8Array(3_000_000).map((_, index) => index % 251);
    await writeFile(
      path.join(dir, 'a.whl'),
      zipSync({ 'x/bin/server': large, 'x/lib.so': strToU8('lib'), other: strToU8('o') }),
    );
    const written = await unzip(
      path.join(dir, 'a.whl'),
      path.join(dir, 'out'),
      (entry) => (entry.startsWith('x/') ? entry.slice(2) : undefined),
      (entry) => entry.includes('/bin/'),
    );
    assert.deepEqual(written.sort(), ['x/bin/server', 'x/lib.so']);
    assert.deepEqual(new Uint8Array(await readFile(path.join(dir, 'out', 'bin', 'server'))), large);
    assert.equal((await stat(path.join(dir, 'out', 'bin', 'server'))).mode & 0o111, 0o111);
    assert.equal((await stat(path.join(dir, 'out', 'lib.so'))).mode & 0o111, 0);
    await rm(dir, { recursive: true });
  });

  it('refuses an entry that would leave the folder', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'unzip-'));
    await writeFile(path.join(dir, 'evil.whl'), zipSync({ '../evil': strToU8('x') }));
    const unpack = unzip(
      path.join(dir, 'evil.whl'),
      path.join(dir, 'out'),
      (entry) => entry,
      () => false,
    );
    await assert.rejects(unpack, /leaves the folder/);
    assert.deepEqual(await readdir(dir), ['evil.whl']);
    await rm(dir, { recursive: true });
  });
});
