import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { defineCollection, exportRecords } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus, type ProblemBody } from '../harness/expectations.ts';
import { admin, type Person, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

/** What an import answers. */
interface Imported {
  readonly created: number;
  readonly failed: number;
  readonly errors: readonly {
    readonly line: number;
    readonly problem: ProblemBody & { readonly limitBytes?: number };
  }[];
}

const lineLimitBytes = 524_288;
const type = 'application/x-ndjson';
/** The gateway waits so long for the next bytes of an import. */
const silenceMs = 15_000;
/** Long enough for the gateway to pass them on before all of them are there. */
const lines = Array.from({ length: 700 }, (_, at) =>
  JSON.stringify({ title: `line ${at}`, score: at, author: 'x'.repeat(250) }),
);
/** A batch of 500 lines, some of the next one, and a part of a line. */
const begun = `${lines.slice(0, 600).join('\n')}\n{"title": "line 600", "sc`;

describe('an import', () => {
  let administrator: string;
  let by: Person;
  before(async () => {
    [administrator, by] = await Promise.all([admin(), signUp()]);
  });

  const start = (collection: string, key: string): ClientRequest => {
    const { hostname, port } = new URL(addressOf('gateway'));
    const headers = { authorization: `Bearer ${by.accessToken}`, 'content-type': type, 'idempotency-key': key };
    const path = `/v1/data/${collection}`;
    return request({ hostname, port, method: 'POST', path, headers, agent: false });
  };
  const scoresIn = async (collection: string): Promise<number[]> => {
    const records = await exportRecords(collection, by.accessToken);
    for (const { title, score } of records) assert.equal(title, `line ${String(score)}`);
    return records.map(({ score }) => Number(score)).sort((one, other) => one - other);
  };
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

  /** Repeated with its key, the whole of it goes on where it stopped. */
  const goesOn = async (collection: string, key: string): Promise<void> => {
    await eventually(async () =>
      assert.deepEqual(await scoresIn(collection), upTo(500), 'other than whole batches of lines are there'),
    );
    const answer = await eventually(
      async () => {
        const headers = { 'idempotency-key': key };
        const body = lines.join('\n');
        return expectStatus(
          await call('POST', `/v1/data/${collection}`, { token: by.accessToken, type, body, headers }),
          200,
        );
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    assert.deepEqual(answer.json<Imported>(), { created: lines.length, failed: 0, errors: [] });
    assert.deepEqual(await scoresIn(collection), upTo(lines.length));
  };

  it('with a line of 50 MB names the line and the limit, and takes the others', async () => {
    const collection = await defineCollection(administrator, { properties: { title: { type: 'string' } } });
    const piece = Buffer.alloc(1_000_000, 'x');
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"title": "before"}\n{"title": "');
      for (let sent = 0; sent < 50; sent += 1) yield await Promise.resolve(piece);
      yield Buffer.from('"}\n{"title": "after"}\n');
    }
    const sent = { token: by.accessToken, type, body: Readable.from(body(), { objectMode: false }) };
    const answer = expectStatus(await call('POST', `/v1/data/${collection}`, sent), 200);
    const { created, failed, errors } = answer.json<Imported>();
    assert.deepEqual({ created, failed }, { created: 2, failed: 1 });
    const [error] = errors;
    assert.equal(error?.line, 2);
    const { status, code, limitBytes, detail } = error.problem;
    assert.deepEqual(
      { status, code, limitBytes },
      { status: 413, code: 'payload-too-large', limitBytes: lineLimitBytes },
    );
    assert.match(detail ?? '', new RegExp(String(lineLimitBytes)));
    const there = await exportRecords(collection, by.accessToken);
    assert.deepEqual(new Set(there.map(({ title }) => title)), new Set(['before', 'after']));
  });

  it('whose client stalls within a line is ended, told so, and can be repeated', async () => {
    const [collection, key] = [await defineCollection(administrator), randomUUID()];
    const stalling = start(collection, key);
    const errors: Error[] = [];
    stalling.on('error', (error) => void errors.push(error));
    const signal = AbortSignal.timeout(4 * silenceMs);
    const answered = once(stalling, 'response', { signal }) as Promise<[IncomingMessage]>;
    stalling.write(begun);
    const [response] = await answered;
    let text = '';
    for await (const chunk of response) text += String(chunk);
    assert.equal(response.statusCode, 408, text);
    assert.equal((JSON.parse(text) as ProblemBody).code, 'request-timeout');
    await goesOn(collection, key);
  });

  it('whose client vanishes within a line leaves whole lines, and can be repeated', async () => {
    const [collection, key] = [await defineCollection(administrator), randomUUID()];
    const vanishing = start(collection, key);
    vanishing.on('error', () => undefined);
    vanishing.write(begun);
    await eventually(async () => assert.equal((await scoresIn(collection)).length, 500));
    vanishing.destroy();
    await goesOn(collection, key);
  });
});
