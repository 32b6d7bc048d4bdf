import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalogue, defineEvent, eventVersion, serviceOf, services, versionsOf } from '@causeway/contracts';
import type { KeptVersions } from '@causeway/contracts/released';
import { z } from 'zod';

import { asyncApiOf, type AsyncApiOptions } from './asyncapi.ts';

interface Message {
  readonly description?: string;
  readonly headers: { readonly required: readonly string[]; readonly properties: Readonly<Record<string, object>> };
  readonly payload: { readonly $ref: string };
  readonly examples?: readonly { readonly headers: object; readonly payload: object }[];
}

interface Document {
  readonly servers: Readonly<Record<string, { readonly host: string; readonly variables?: object }>>;
  readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: object }>>;
  readonly operations: Readonly<Record<string, { readonly action: string; readonly messages: readonly object[] }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly messages: Readonly<Record<string, Message>>;
  };
}

const documentOf = (options: Partial<AsyncApiOptions> = {}): Document => {
  const own = { catalogue, services, kept: new Map(), publicUrl: 'https://api.example.org', brokers: undefined };
  return asyncApiOf({ ...own, ...options }) as unknown as Document;
};

describe('the AsyncAPI document', () => {
  const two = defineEvent({
    type: 'user.note.written',
    version: 2,
    thing: 'note',
    description: 'In a test.',
    data: { words: z.array(z.string()) },
    earlier: eventVersion({ version: 1, data: { text: z.string() } }),
    upcast: ({ text }) => ({ words: text.split(' ') }),
  });

  it('has a channel for each topic, with every event of its service', () => {
    const { channels, operations } = documentOf();
    assert.deepEqual(
      Object.values(channels).map(({ address }) => address),
      ['causeway.auth', 'causeway.user', 'causeway.data'],
    );
    for (const service of services) {
      const types = catalogue
        .filter(({ type }) => serviceOf(type) === service)
        .flatMap((contract) => versionsOf(contract).map(({ version }) => `${contract.type}.${version}`));
      assert.deepEqual(Object.keys(channels[service]?.messages ?? {}), types);
      assert.equal(operations[`${service}.publish`]?.messages.length, types.length);
    }
    assert.ok(
      Object.values(operations).every(({ action }) => action === 'send'),
      'it is the platform that is described',
    );
  });

  it('has each version, and says of one that it is no longer recorded', () => {
    const { components } = documentOf({ catalogue: [two] });
    assert.deepEqual(Object.keys(components.messages), ['user.note.written.1', 'user.note.written.2']);
    assert.match(components.messages['user.note.written.1']?.description ?? '', /version 2 has taken its place/);
    assert.equal(components.messages['user.note.written.2']?.description, undefined);
    assert.deepEqual(components.schemas['user.note.written.1']?.required, ['text']);
  });

  it('has the headers of binary mode, those that name the contract with their one value', () => {
    const { headers } = documentOf({ catalogue: [two] }).components.messages['user.note.written.2'] ?? assert.fail();
    const { ce_type: type, ce_source: source, ce_dataschema: dataschema, ce_subject: subject } = headers.properties;
    assert.deepEqual(
      [type, source, dataschema].map((each) => (each as { const: string }).const),
      ['user.note.written', '/causeway/user', 'urn:causeway:contract:user.note.written:2'],
    );
    assert.equal((subject as { pattern: string }).pattern, '^note/.+$');
    for (const name of ['content-type', 'ce_id', 'ce_sequence', 'ce_time', 'ce_correlationid', 'ce_authtype']) {
      assert.ok(headers.required.includes(name), name);
    }
    for (const name of [
      'ce_causationid',
      'ce_traceparent',
      'ce_authid',
      'ce_batchid',
      'ce_batchindex',
      'ce_batchsize',
    ]) {
      assert.ok(name in headers.properties && !headers.required.includes(name), name);
    }
  });

  it('shows golden samples', () => {
    const place = { type: two.type, version: 2 };
    const kept: KeptVersions = new Map([['user.note.written 2', { ...place, samples: { full: { words: ['a'] } } }]]);
    const { messages } = documentOf({ catalogue: [two], kept }).components;
    const [example] = messages['user.note.written.2']?.examples ?? [];
    assert.deepEqual(example?.payload, { words: ['a'] });
    assert.equal(
      (example.headers as Record<string, string>).ce_dataschema,
      'urn:causeway:contract:user.note.written:2',
    );
    assert.equal(messages['user.note.written.1']?.examples, undefined);
  });

  it('names brokers only where it may', () => {
    assert.deepEqual(
      Object.values(documentOf().servers).map(({ host }) => host),
      ['{broker}'],
    );
    const { servers, channels } = documentOf({ brokers: ['kafka.example.org:9092', 'kafka.example.org:9093'] });
    assert.deepEqual(
      Object.values(servers).map(({ host, variables }) => [host, variables]),
      [
        ['kafka.example.org:9092', undefined],
        ['kafka.example.org:9093', undefined],
      ],
    );
    assert.match(JSON.stringify(channels.auth), /#\/servers\/kafka-2/);
  });

  it('refers from within a schema to where that stands', () => {
    const node: z.ZodType = z.object({
      get children() {
        return z.array(node);
      },
    });
    const tree = defineEvent({ ...two, version: 1, type: 'user.tree.grown', data: { root: node } });
    const text = JSON.stringify(documentOf({ catalogue: [tree] }).components.schemas['user.tree.grown.1']);
    assert.match(text, /"\$ref":"#\/components\/schemas\/user\.tree\.grown\.1\//);
  });
});
