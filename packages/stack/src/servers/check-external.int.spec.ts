import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import process from 'node:process';
import { describe, it, type TestContext } from 'node:test';
import { BSON } from 'mongodb';
import { StackError } from '../stack-error.ts';
import type { ServerName } from '../topology.ts';
import { checkExternal } from './check-external.ts';
import { compareVersions, oldest } from './version.ts';

/** A server that answers each piece that it is sent; ended with the test. */
async function fake(test: TestContext, answer: (request: Buffer) => Uint8Array | undefined): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (request) => socket.write(answer(request) ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function refusal(server: ServerName, setting: string, address: string): Promise<string> {
  const error: unknown = await checkExternal(server, setting, address).then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StackError, String(error));
  return error.message;
}

describe('an address in the environment', () => {
  it('is accepted when the server there does', async () => {
    const { MONGODB_URL = '', KAFKA_BROKERS = '', REDIS_URL = '' } = process.env;
    const mongodb = await checkExternal('mongodb', 'MONGODB_URL', MONGODB_URL);
    assert.ok(compareVersions(mongodb, oldest.mongodb) >= 0);
    assert.match(await checkExternal('kafka', 'KAFKA_BROKERS', KAFKA_BROKERS), /4\.0 or later/);
    assert.ok(compareVersions(await checkExternal('redis', 'REDIS_URL', REDIS_URL), oldest.redis) >= 0);
  });

  it('is an error that names the setting when nothing answers, without the password', async () => {
    const mongodb = await refusal('mongodb', 'MONGODB_URL', 'mongodb://user:s3cret@127.0.0.1:1/');
    assert.match(mongodb, /^MONGODB_URL \(mongodb:\/\/user:\*\*\*@127\.0\.0\.1:1\/\) does not answer: /);
    assert.match(
      await refusal('kafka', 'KAFKA_BROKERS', '127.0.0.1:1'),
      /^KAFKA_BROKERS \(127\.0\.0\.1:1\) does not answer: /,
    );
    const redis = await refusal('redis', 'REDIS_URL', 'redis://:s3cret@127.0.0.1:1');
    assert.match(redis, /^REDIS_URL \(redis:\/\/:\*\*\*@127\.0\.0\.1:1\) does not answer: /);
    for (const message of [mongodb, redis]) assert.doesNotMatch(message, /s3cret/);
  });

  it('is an error when it is no address', async () => {
    assert.match(await refusal('mongodb', 'MONGODB_URL', 'localhost'), /^MONGODB_URL \(localhost\) does not answer: /);
  });

  it('is an error when Redis there is too old', async (test) => {
    const info = '# Server\r\nredis_version:5.0.14\r\n';
    const old = await fake(test, (request) => {
      const commands = request.toString().match(/\*\d+\r\n/g)?.length ?? 1;
      const isInfo = /info/i.test(request.toString());
      const answers = Array.from({ length: commands }, () => (isInfo ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n'));
      return Buffer.from(answers.join(''));
    });
    assert.match(await refusal('redis', 'REDIS_URL', `redis://${old}`), /is Redis 5\.0\.14; 6\.2 or later is needed$/);
  });

  it('is an error when Redis there refuses us', async (test) => {
    const closed = await fake(test, (request) => {
      const commands = request.toString().match(/\*\d+\r\n/g)?.length ?? 1;
      return Buffer.from('-NOAUTH Authentication required.\r\n'.repeat(commands));
    });
    assert.match(await refusal('redis', 'REDIS_URL', `redis://${closed}`), /^REDIS_URL .* refuses us: NOAUTH/);
  });

  it('is an error when Kafka there is too old', async (test) => {
    const old = await fake(test, (request) => {
      // ApiVersions response v3, header v0: correlation, error, compact array of (key, min, max, tags), throttle, tags.
      const body = Buffer.alloc(4 + 2 + 1 + 2 * 7 + 4 + 1);
      request.copy(body, 0, 8, 12);
      body.writeInt8(3, 6);
      body.writeInt16BE(1, 7);
      body.writeInt16BE(0, 9);
      body.writeInt16BE(13, 11);
      body.writeInt16BE(18, 14);
      body.writeInt16BE(0, 16);
      body.writeInt16BE(3, 18);
      const size = Buffer.alloc(4);
      size.writeInt32BE(body.length);
      return Buffer.concat([size, body]);
    });
    assert.match(await refusal('kafka', 'KAFKA_BROKERS', old), /is a Kafka before 4\.0; 4\.0 or later is needed$/);
  });

  it('is an error when MongoDB there is too old', async (test) => {
    const old = await fake(test, fakeMongod('5.0.31', { setName: 'old' }));
    const message = await refusal('mongodb', 'MONGODB_URL', `mongodb://${old}/?directConnection=true`);
    assert.match(message, /is MongoDB 5\.0\.31; 6\.0 or later is needed$/);
  });

  it('is an error when MongoDB there is no replica set', async (test) => {
    const alone = await fake(test, fakeMongod('7.0.2', {}));
    const message = await refusal('mongodb', 'MONGODB_URL', `mongodb://${alone}/?directConnection=true`);
    assert.match(message, /is not a replica set, without which there are neither transactions nor change streams$/);
  });
});

/** Answers `hello` and `buildInfo`, in the old form of the first message of a connection and in the present one. */
function fakeMongod(version: string, hello: object): (request: Buffer) => Uint8Array | undefined {
  const [opReply, opQuery] = [1, 2004];
  return (request) => {
    const isQuery = request.readInt32LE(12) === opQuery;
    // OP_QUERY: flags, collection name, skip, return, document; OP_MSG: flags, section kind, document.
    const start = isQuery ? request.indexOf(0, 20) + 9 : 21;
    const command = BSON.deserialize(request.subarray(start, start + request.readInt32LE(start)));
    if (command.exhaustAllowed === true || command.topologyVersion !== undefined) return undefined;
    const document = BSON.serialize(
      'buildInfo' in command
        ? { ok: 1, version }
        : { ok: 1, isWritablePrimary: true, helloOk: true, minWireVersion: 0, maxWireVersion: 21, ...hello },
    );
    const before = isQuery ? Buffer.alloc(20) : Buffer.alloc(5);
    if (isQuery) before.writeInt32LE(1, 16);
    const header = Buffer.alloc(16);
    header.writeInt32LE(16 + before.length + document.length, 0);
    request.copy(header, 8, 4, 8);
    header.writeInt32LE(isQuery ? opReply : 2013, 12);
    return Buffer.concat([header, before, document]);
  };
}
