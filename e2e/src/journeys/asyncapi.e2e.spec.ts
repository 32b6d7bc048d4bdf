import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue, services, topicOf } from '@causeway/contracts';
import { createKafka, followHandlers, type KafkaPort } from '@causeway/events';
import { createLogger } from '@causeway/telemetry';
import { Ajv, type AnySchema } from 'ajv';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { findReaders } from '../contracts/readers.ts';
import { call } from '../harness/client.ts';
import { defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, profileOf, signUp } from '../harness/people.ts';
import { addressOf } from '../harness/platform.ts';

interface Message {
  readonly headers: AnySchema;
  readonly bindings: { readonly kafka: { readonly key: AnySchema } };
  readonly externalDocs: { readonly url: string };
  readonly examples?: readonly { readonly name: string; readonly headers: unknown; readonly payload: unknown }[];
}

interface AsyncApi {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly components: { readonly messages: Readonly<Record<string, Message>> };
}

interface Records {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

const schemaOfAsyncApi = (): Promise<string> =>
  readFile(fileURLToPath(import.meta.resolve('@asyncapi/specs/schemas/3.0.0.json')), 'utf8');

/** The examples that the specification's schema holds for people are no schemas. */
const relaxed = { strict: false, allErrors: true, validateFormats: true, unicodeRegExp: false } as const;

const withFormats = <Validator extends Ajv>(ajv: Validator): Validator => {
  addFormats.default(ajv);
  return ajv;
};

const refsOf = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(refsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === '$ref' && typeof each === 'string' ? [each] : refsOf(each),
  );
};

describe('/asyncapi.json', () => {
  let text: string;
  let document: AsyncApi;
  before(async () => {
    const answer = expectStatus(await call('GET', '/asyncapi.json'), 200);
    text = answer.text;
    document = answer.json<AsyncApi>();
  });

  it('is an AsyncAPI 3.0 document, and every reference in it leads somewhere', async () => {
    // It brings the schema of schemas along.
    const ajv = withFormats(new Ajv({ ...relaxed, meta: false, validateSchema: false }));
    const validate = ajv.compile(JSON.parse(await schemaOfAsyncApi()) as AnySchema);
    assert.equal(validate(document), true, ajv.errorsText(validate.errors, { separator: '\n' }).slice(0, 2000));
    const lost = refsOf(document).filter((ref) => {
      const found = ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step], document);
      return !ref.startsWith('#/') || found === undefined;
    });
    assert.deepEqual(lost, []);
  });

  it('has every event that is recorded here, each with an address of its schema', async () => {
    for (const { type, version } of catalogue) {
      const message = document.components.messages[`${type}.${version}`];
      assert.ok(message, `${type} ${version}`);
      const url = new URL(message.externalDocs.url);
      assert.equal(url.origin, new URL(addressOf('gateway')).origin);
      const schema = expectStatus(await call('GET', url.pathname), 200).json();
      assert.equal(schema.$id, `urn:causeway:contract:${type}:${version}`);
    }
  });

  it('tells nothing of where the servers are', () => {
    for (const name of ['kafka', 'mongodb', 'redis']) {
      const host =
        addressOf(name)
          .replace(/^\w+:\/\//, '')
          .split('/')[0] ?? '';
      assert.ok(!text.includes(host), `${name} is at ${host}`);
    }
  });

  it('is told to have changed, or not', async () => {
    for (const path of ['/asyncapi.json', '/schemas', '/schemas/auth.account.created/1']) {
      const { headers } = expectStatus(await call('GET', path), 200);
      expectStatus(await call('GET', path, { headers: { 'if-none-match': headers.etag ?? '' } }), 304);
      expectStatus(await call('GET', path, { headers: { 'if-none-match': '"another"' } }), 200);
    }
  });

  it('shows examples that are as it says', () => {
    const { components } = document;
    const ajv = withFormats(new Ajv({ ...relaxed, schemas: { document: { components } } }));
    const examples = Object.entries(components.messages).flatMap(([message, { examples = [], headers }]) =>
      examples.map((each) => ({ ...each, message, of: headers })),
    );
    assert.ok(examples.length > 20, `${examples.length} examples`);
    for (const { message, name, headers, payload, of } of examples) {
      assert.ok(ajv.validate(of, headers), `${message} ${name}: ${ajv.errorsText()}`);
      const payloads = `document#/components/schemas/${message}`;
      assert.ok(ajv.validate(payloads, payload), `${message} ${name}: ${ajv.errorsText()}`);
    }
  });
});

describe('/schemas', () => {
  it('lists each version, with its dataschema and where it is', async () => {
    const { items } = expectStatus(await call('GET', '/schemas'), 200).json<{ items: Record<string, unknown>[] }>();
    const account = items.find(({ type }) => type === 'auth.account.created');
    assert.deepEqual(account, {
      type: 'auth.account.created',
      version: 1,
      dataschema: 'urn:causeway:contract:auth.account.created:1',
      href: '/schemas/auth.account.created/1',
      description: 'A person has an account.',
    });
  });

  it('has each under its media type, and JSON for those who ask for that', async () => {
    const path = '/schemas/auth.account.created/1';
    const typeFor = async (accept: string): Promise<string | undefined> =>
      expectStatus(await call('GET', path, { headers: { accept } }), 200).headers['content-type'];
    assert.equal(await typeFor('*/*'), 'application/schema+json');
    assert.equal(await typeFor('application/json'), 'application/json');
    await expectProblem(await call('GET', path, { headers: { accept: 'text/html' } }), 406, 'not-acceptable');
  });

  it('knows no other', async () => {
    for (const path of ['auth.account.created/2', 'auth.account.created/0', 'auth.account.created/x', 'nothing/1']) {
      await expectProblem(await call('GET', `/schemas/${path}`), 404, 'not-found');
    }
  });
});

describe('events in Kafka', () => {
  const logger = createLogger({ service: 'e2e', level: 'silent' });
  const records = new Map<string, Records>();
  let kafka: KafkaPort;
  before(async () => {
    kafka = createKafka({ driver: 'platformatic', brokers: [addressOf('kafka')], clientId: 'e2e-asyncapi', logger });
    for (const service of services) {
      await kafka.readAll(topicOf(service), {
        from: 'beginning',
        onRecord: ({ topic, key, headers, value }) => {
          const data = (): unknown => JSON.parse(value?.toString('utf8') ?? 'null') as unknown;
          if (headers.ce_id === undefined) return;
          records.set(headers.ce_id, {
            topic,
            key: String(key),
            headers,
            data: headers.ce_type === undefined ? null : data(),
          });
        },
        onCaughtUp: () => undefined,
      });
    }
  });
  after(() => kafka.close());

  /** One of nearly everything that happens here. */
  const journey = async (): Promise<string[]> => {
    const administrator = await admin();
    const person = await signUp({ name: 'Ada' });
    const { accessToken: token, refreshToken, events } = person;
    const ids = [...events];
    const does = async (method: string, path: string, status: number, options: object = {}): Promise<string> => {
      const answer = expectStatus(await call(method, path, { token, ...options }), status);
      ids.push(...answer.events);
      return answer.text;
    };
    await profileOf(person);
    await does('PATCH', '/v1/users/me', 200, { type: 'application/merge-patch+json', json: { bio: 'Engines.' } });
    await does('POST', '/v1/auth/refresh', 200, { token: undefined, json: { refreshToken } });
    const name = await defineCollection(administrator);
    const text = await does('POST', `/v1/data/${name}`, 201, { json: { title: 'One', score: 1.5 } });
    const record = `/v1/data/${name}/${(JSON.parse(text) as { id: string }).id}`;
    await does('PUT', record, 200, { json: { title: 'Two', tags: ['x'] } });
    await does('DELETE', record, 204);
    await does('DELETE', `/v1/collections/${name}`, 204, { token: administrator });
    await does('POST', '/v1/auth/sign-out', 204);
    return ids;
  };

  it('are as the document, and the schema that they name, have them', async () => {
    const { components } = expectStatus(await call('GET', '/asyncapi.json'), 200).json<AsyncApi>();
    const ids = await journey();
    const found = await eventually(
      () => ids.map((id) => records.get(id) ?? assert.fail(`event ${id} is not in Kafka yet`)),
      { withinMs: 120_000 },
    );
    const types = new Set(found.map(({ headers }) => headers.ce_type));
    assert.ok(types.size >= 9, [...types].join());
    const ajv = withFormats(new Ajv(relaxed));
    const ajv2020 = withFormats(new Ajv2020(relaxed));
    for (const { topic, key, headers, data } of found) {
      const [type = '', version = ''] = (headers.ce_dataschema ?? '').split(':').slice(-2);
      const message = components.messages[`${type}.${version}`];
      assert.ok(message, headers.ce_dataschema);
      assert.ok(ajv.validate(message.headers, headers), `${type}: ${ajv.errorsText()}`);
      assert.ok(ajv.validate(message.bindings.kafka.key, key), `${type}: ${ajv.errorsText()}`);
      assert.equal(key, headers.ce_subject);
      assert.equal(topic, topicOf(type.split('.')[0] ?? ''));
      const schema = expectStatus(await call('GET', `/schemas/${type}/${version}`), 200).json();
      assert.equal(schema.$id, headers.ce_dataschema);
      const validate = ajv2020.getSchema(String(schema.$id)) ?? ajv2020.compile(schema);
      assert.ok(validate(data), `${type}: ${ajv2020.errorsText(validate.errors)} ${JSON.stringify(data)}`);
      assert.ok(!validate({}), `${type}: it says something`);
    }
  });

  it('are handled by nobody whom npm run contracts:check does not know', async () => {
    const registry = await followHandlers(kafka, () => undefined);
    try {
      await eventually(() => assert.ok(registry.ready));
      const known = new Set(
        (await findReaders()).map(({ service, reader, types }) => `${service} ${reader} ${types.join()}`),
      );
      const registered = registry.all().map(({ service, handler, types }) => `${service} ${handler} ${types.join()}`);
      assert.ok(registered.length > 0);
      const unknown = registered.filter((each) => !known.has(each));
      assert.deepEqual(unknown, [], 'declare them in handlersOf of the service’s app.ts: e2e/src/contracts/readers.ts');
    } finally {
      await registry.close();
    }
  });
});
