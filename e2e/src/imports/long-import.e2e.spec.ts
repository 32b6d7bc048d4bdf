import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { request } from 'undici';
import { type BenchPlatform, startBenchPlatform } from '../bench/bench-platform.ts';
import { linesTold } from './lines-told.ts';
import { type Memory, type MemoryReader, openMemoryReader, readableMemory } from './live-memory.ts';

const mebibyte = 1_048_576;
const isLong = process.env.CAUSEWAY_TEST_LONG !== undefined;
const { lines, lineBytes } = isLong ? { lines: 1_000_000, lineBytes: 900 } : { lines: 15_000, lineBytes: 10_240 };
/** The import is looked at as often, at the same distances. */
const parts = 10;

/** What is kept on purpose, however few lines there are, is small here: much cannot hide in it. */
const historyBytes = 4 * mebibyte;
const kept = {
  FEED_HISTORY_SIZE: '4MiB',
  RECORD_CACHE_SIZE: '1MiB',
  QUERY_CACHE_SIZE: '1MiB',
};

/**
 * By so much what a process holds may differ between two moments of an import, whatever its length: what is on its way at one of them and was not
 * at the other. In data these are two batches as lines, as records and as events (6 × 1 MiB), what waits for the relay (16 MiB) and is
 * being published (8 MiB of the log, and once more as Kafka's records), and the history of the feeds (not yet full in the first part).
 */
const allowance = 6 * mebibyte + 16 * mebibyte + 2 * 8 * mebibyte + historyBytes;

const text = 'x'.repeat(lineBytes - 40);
const lineOf = (n: number): string => `${JSON.stringify({ n, text })}\n`;

describe('a long import', () => {
  let dir: string;
  let bench: BenchPlatform;
  const readers = new Map<string, MemoryReader>();

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'causeway-test-'));
    bench = await startBenchPlatform(dir, { ...kept, ...readableMemory });
    for (const name of ['data', 'gateway', 'auth']) readers.set(name, await openMemoryReader(dir, name));
  });
  after(async () => {
    for (const reader of readers.values()) reader.close();
    await bench.platform.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const define = async (name: string): Promise<void> => {
    const schema = { type: 'object', properties: { n: { type: 'integer' }, text: { type: 'string' } } };
    const body = JSON.stringify({ schema, rules: { read: 'signed-in', create: 'signed-in' } });
    await bench.call('PUT', `/v1/collections/${name}`, { headers: await bench.signedIn(), body });
  };

  /** Gives the lines in pieces, as a client reads them from a file; says after each tenth of them that it is there. */
  async function* bytesOf(reached: (part: number) => void): AsyncGenerator<Buffer> {
    let piece = '';
    for (let n = 1; n <= lines; n += 1) {
      piece += lineOf(n);
      if (piece.length >= 65_536 || n === lines) {
        yield Buffer.from(piece);
        piece = '';
      }
      if (n % (lines / parts) === 0) reached(n / (lines / parts));
    }
  }

  it(`of ${lines.toLocaleString('en')} lines is held by no process, and all of them are there, each with its event once`, async (context) => {
    assert.ok(allowance < (lines * lineBytes) / 3, 'what is allowed tells nothing of such a length');
    const name = 'long-import';
    await define(name);
    const seen = new Map([...readers.keys()].map((each) => [each, [] as Memory[]]));
    let looking = Promise.resolve();
    const look = (): void => {
      looking = looking.then(async () => {
        for (const [each, reader] of readers) seen.get(each)?.push(await reader.read());
      });
    };
    const startedAt = performance.now();
    const response = await request(new URL(`/v1/data/${name}`, bench.gateway), {
      method: 'POST',
      headers: { ...(await bench.signedIn()), 'content-type': 'application/x-ndjson' },
      body: Readable.from(bytesOf(look), { objectMode: false, highWaterMark: 65_536 }),
    });
    const answer = await response.body.text();
    const seconds = (performance.now() - startedAt) / 1_000;
    assert.equal(response.statusCode, 200, answer);
    assert.deepEqual(JSON.parse(answer), { created: lines, failed: 0, errors: [] });
    await looking;

    context.diagnostic(`${lines} lines, ${Math.round((lines * lineBytes) / mebibyte)} MiB, in ${seconds.toFixed(0)} s`);
    const inMebibytes = (bytes: number): string => (bytes / mebibyte).toFixed(0);
    for (const [each, memory] of seen) {
      const told = memory.map(({ live, external, resident }) => [live, external, resident].map(inMebibytes).join('/'));
      context.diagnostic(`${each}, MiB live/of these buffers/resident, after each tenth: ${told.join(' ')}`);
    }
    for (const [each, memory] of seen) {
      assert.equal(memory.length, parts);
      const [first, ...later] = memory.map(({ live }) => live);
      const most = Math.max(...later);
      const grown = most - (first ?? assert.fail());
      assert.ok(grown <= allowance, `${each} holds ${inMebibytes(grown)} MiB more than after the first tenth`);
    }
    await assertAllThere(name);
    const { lines: told, twice } = await linesTold(bench.platform.urls.kafka ?? assert.fail(), name, lines);
    assert.deepEqual({ told, twice }, { told: lines, twice: [] });
  });

  const assertAllThere = async (name: string): Promise<void> => {
    const headers = { ...(await bench.signedIn()), accept: 'application/x-ndjson' };
    const exported = await request(new URL(`/v1/data/${name}`, bench.gateway), { headers });
    assert.equal(exported.statusCode, 200);
    const there = new Uint8Array(lines + 1);
    for await (const line of createInterface({ input: exported.body })) {
      const { n, text: own } = JSON.parse(line) as { readonly n: number; readonly text: string };
      assert.equal(own, text);
      there[n] = (there[n] ?? 0) + 1;
    }
    assert.ok(
      there.subarray(1).every((count) => count === 1),
      'a line is missing, or there twice',
    );
  };
});
