import kafkajs, { type Admin, type DescribeConfigResponse } from 'kafkajs';
import { settledWithin } from '../backoff.ts';
import type { TopicSpec } from '../port.ts';
import type { TopicAdmin, TopicSetting } from '../topic-admin.ts';
import { toWireError } from './wire-error.ts';

// Node sees no named exports of these in kafkajs, which is CommonJS.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

const CLOSE_BOUND_MS = 2_000;

type TopicSettings = DescribeConfigResponse['resources'][number]['configEntries'];

const isOwn = ({ configSource }: TopicSettings[number]): boolean => configSource === ConfigSource.TOPIC_CONFIG;

export class KafkajsTopicAdmin implements TopicAdmin {
  readonly #admin: Admin;

  /** @param admin With no retries: the port above repeats. */
  constructor(admin: Admin) {
    this.#admin = admin;
  }

  async createTopic({ name, partitions, replicationFactor, config }: TopicSpec): Promise<boolean> {
    const configEntries = Object.entries(config ?? {}).map(([setting, value]) => ({ name: setting, value }));
    return await this.#connected(() =>
      this.#admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic: name, numPartitions: partitions, replicationFactor: replicationFactor ?? -1, configEntries }],
      }),
    );
  }

  async deleteTopic(name: string): Promise<void> {
    try {
      await this.#connected(() => this.#admin.deleteTopics({ topics: [name] }));
    } catch (error) {
      const wireError = toWireError(error);
      if (wireError.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw wireError;
    }
  }

  async topicSettings(name: string, settings: readonly string[]): Promise<ReadonlyMap<string, TopicSetting>> {
    const wanted = (await this.#settings(name)).filter((each) => settings.includes(each.configName));
    return new Map(wanted.map((each) => [each.configName, { value: each.configValue, own: isOwn(each) }]));
  }

  /** kafkajs has no incremental change: what is set on the topic already is set again along with it. */
  async setTopicSettings(name: string, values: ReadonlyMap<string, string>): Promise<void> {
    const kept = (await this.#settings(name))
      .filter((each) => isOwn(each) && !values.has(each.configName))
      .map((each) => ({ name: each.configName, value: each.configValue }));
    const set = [...values].map(([setting, value]) => ({ name: setting, value }));
    await this.#connected(() =>
      this.#admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [...kept, ...set] }],
      }),
    );
  }

  async close(): Promise<void> {
    await settledWithin(this.#admin.disconnect(), CLOSE_BOUND_MS).catch(() => undefined);
  }

  async #settings(name: string): Promise<TopicSettings> {
    const response = await this.#connected(() =>
      this.#admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name }],
      }),
    );
    return response.resources[0]?.configEntries ?? [];
  }

  async #connected<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      await this.#admin.connect();
      return await call();
    } catch (error) {
      throw toWireError(error);
    }
  }
}
