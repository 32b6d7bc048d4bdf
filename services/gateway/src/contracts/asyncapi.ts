import {
  schemaUrn,
  serviceOf,
  topicOf,
  versionsOf,
  type EventContract,
  type EventVersion,
  type ServiceName,
} from '@causeway/contracts';
import { keyOf, sampleEvent, type KeptVersions } from '@causeway/contracts/released';
import { toBinary } from '@causeway/events';

import { headersSchemaOf, keySchemaOf, payloadSchemaOf } from './message-schema.ts';

/** A part of the document. */
type Section = Readonly<Record<string, unknown>>;

/** What the document is made of. */
export interface AsyncApiOptions {
  readonly catalogue: readonly EventContract[];
  readonly services: readonly ServiceName[];
  /** Golden samples: the examples. */
  readonly kept: KeptVersions;
  /** Where clients reach the gateway. */
  readonly publicUrl: string;
  /** Brokers that may be told to everybody; undefined leaves them open. */
  readonly brokers: readonly string[] | undefined;
}

const description = [
  'Everything that happens here, as it happens: every change of state is an event, and every event has a cause.',
  '',
  'Events are CloudEvents 1.0 in Kafka records, binary content mode: attributes are `ce_` headers, the value is the data as JSON.',
  'The record’s key is the subject, so the events of one subject are in one partition, in the order of their `ce_sequence`, which rises',
  'by one. An event may arrive more than once: `ce_id` tells. Within a version only optional properties are added: leave out what you do',
  'not know. `ce_dataschema` names the type and the version.',
].join('\n');

const bindingVersion = '0.5.0';

const serversOf = (brokers: readonly string[] | undefined): Section => {
  const common = { protocol: 'kafka', description: 'Kafka 4.0 or later.' };
  if (brokers !== undefined && brokers.length > 0) {
    return Object.fromEntries(brokers.map((host, index) => [`kafka-${index + 1}`, { host, ...common }]));
  }
  const broker = { description: 'Ask whoever runs this platform: host and port of a broker.', default: 'kafka:9092' };
  return { kafka: { host: '{broker}', ...common, variables: { broker } } };
};

/** `auth.account.created.1`: names of components hold no blanks. */
const nameOf = ({ type }: EventContract, { version }: EventVersion): string => `${type}.${version}`;

const examplesOf = (contract: EventContract, version: EventVersion, kept: KeptVersions): readonly Section[] => {
  const place = { type: contract.type, version: version.version };
  return Object.entries(kept.get(keyOf(place))?.samples ?? {}).map(([name, data]) => {
    const { headers } = toBinary(sampleEvent(contract, version.version, data));
    return { name, headers, payload: data };
  });
};

const messageOf = (contract: EventContract, version: EventVersion, options: AsyncApiOptions): Section => {
  const { type, description: summary } = contract;
  const name = nameOf(contract, version);
  const examples = examplesOf(contract, version, options.kept);
  const isNewest = version.version === contract.version;
  return {
    name: type,
    title: `${type} ${version.version}`,
    summary,
    ...(!isNewest && {
      description: `No longer recorded: version ${contract.version} has taken its place. What was recorded before is as it was.`,
    }),
    contentType: 'application/json',
    headers: headersSchemaOf(contract, version),
    payload: { $ref: `#/components/schemas/${name}` },
    correlationId: {
      description: 'The request that it goes back to.',
      location: '$message.header#/ce_correlationid',
    },
    bindings: { kafka: { key: keySchemaOf(contract), bindingVersion } },
    externalDocs: {
      description: `Its data as JSON Schema 2020-12: ${schemaUrn({ type, version: version.version })}`,
      url: `${options.publicUrl}/schemas/${type}/${version.version}`,
    },
    ...(examples.length > 0 && { examples }),
  };
};

/**
 * The AsyncAPI 3.0 document of the platform's events. It describes the platform, which sends them: a subscriber receives.
 *
 * @param options - the contracts, and what may be told of the brokers
 */
export const asyncApiOf = (options: AsyncApiOptions): Section => {
  const { catalogue, services, publicUrl, brokers } = options;
  const versions = catalogue.flatMap((contract) => versionsOf(contract).map((version) => ({ contract, version })));
  const ownMessages = (service: string): readonly string[] =>
    versions
      .filter(({ contract }) => serviceOf(contract.type) === service)
      .map(({ contract, version }) => nameOf(contract, version));
  const servers = serversOf(brokers);
  const perService = (make: (service: string) => Section): Section =>
    Object.fromEntries(services.map((service) => [service, make(service)]));
  const components = (make: (contract: EventContract, version: EventVersion) => Section): Section =>
    Object.fromEntries(versions.map(({ contract, version }) => [nameOf(contract, version), make(contract, version)]));
  return {
    asyncapi: '3.0.0',
    id: 'urn:causeway:events',
    info: {
      title: 'Causeway events',
      version: '1.0.0',
      description,
      externalDocs: { description: 'The HTTP interface.', url: `${publicUrl}/docs` },
    },
    defaultContentType: 'application/json',
    servers,
    channels: perService((service) => ({
      address: topicOf(service),
      title: `What happens in ${service}`,
      servers: Object.keys(servers).map((name) => ({ $ref: `#/servers/${name}` })),
      messages: Object.fromEntries(
        ownMessages(service).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
      ),
      bindings: { kafka: { topic: topicOf(service), bindingVersion } },
    })),
    operations: Object.fromEntries(
      services.map((service) => [
        `${service}.publish`,
        {
          action: 'send',
          channel: { $ref: `#/channels/${service}` },
          title: `${service} publishes its events`,
          summary: `Read ${topicOf(service)} in a group of your own to receive them.`,
          messages: ownMessages(service).map((name) => ({ $ref: `#/channels/${service}/messages/${name}` })),
        },
      ]),
    ),
    components: {
      schemas: components((contract, version) =>
        payloadSchemaOf(contract, version, `#/components/schemas/${nameOf(contract, version)}`),
      ),
      messages: components((contract, version) => messageOf(contract, version, options)),
    },
  };
};
