import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Line } from './read-lines.ts';
import { readLines } from './read-lines.ts';

async function linesOf(chunks: readonly string[], limitBytes = 10): Promise<[number, string | undefined][]> {
  async function* stream(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: [number, string | undefined][] = [];
  for await (const { number, bytes } of readLines(stream(), limitBytes)) lines.push([number, bytes?.toString()]);
  return lines;
}

describe('lines of a stream', () => {
  it('are the same however the stream is cut', async () => {
    const text = 'one\ntwo\r\n\n  \nfünf\nlast';
    const expected = [
      [1, 'one'],
      [2, 'two'],
      [5, 'fünf'],
      [6, 'last'],
    ];
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      const cut = [bytes.subarray(0, at).toString('latin1'), bytes.subarray(at).toString('latin1')];
      async function* stream(): AsyncGenerator<Buffer> {
        for (const part of cut) yield Buffer.from(part, 'latin1');
      }
      const lines: unknown[] = [];
      for await (const line of readLines(stream(), 10)) lines.push([line.number, line.bytes?.toString()]);
      assert.deepEqual(lines, expected, `cut at ${at}`);
    }
  });

  it('end with the stream, with or without a line feed', async () => {
    assert.deepEqual(await linesOf(['a\n']), [[1, 'a']]);
    assert.deepEqual(await linesOf(['a']), [[1, 'a']]);
    assert.deepEqual(await linesOf([]), []);
    assert.deepEqual(await linesOf(['\n\n']), []);
  });

  it('that are too long are told, and the next ones read', async () => {
    assert.deepEqual(await linesOf(['0123456789\n', '0123456789', 'x\n', 'ok\n']), [
      [1, '0123456789'],
      [2, undefined],
      [3, 'ok'],
    ]);
    assert.deepEqual(await linesOf(['0123456789\r\n']), [[1, '0123456789']]);
    assert.deepEqual(await linesOf(Array.from({ length: 100 }, () => 'xxxxx')), [[1, undefined]]);
  });

  it('that come byte by byte are held as their bytes', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const length = 400_000;
    let before = 0;
    let after = 0;
    async function* bytes(): AsyncGenerator<Buffer> {
      for (let at = 0; at < length; at += 1) {
        yield Buffer.from([0x61 + (at % 26)]);
        // By then all of this has been compiled.
        if (at === length / 10) before = held();
      }
      after = held();
      yield Buffer.from('\nend');
    }
    const lines: Line[] = [];
    for await (const line of readLines(bytes(), length)) lines.push(line);
    assert.deepEqual(
      lines.map((line) => line.bytes?.length),
      [length, 3],
    );
    assert.equal(lines[0]?.bytes?.toString('latin1', 24, 30), 'yzabcd');
    // More than a hundred times as much where each byte is a piece.
    assert.ok(after - before < 40 * length, `${after - before} bytes for ${length}`);
  });
});
