import kafkajs, { type Admin, type DescribeConfigResponse } from 'kafkajs';
import { settledWithin } from '../backoff.ts';
import type { TopicSpec } from '../port.ts';
import type { TopicAdmin } from '../topic-admin.ts';
import { toWireError } from './wire-error.ts';

// Node sees no named exports of these in kafkajs, which is CommonJS.
const { ConfigResourceTypes, ConfigSource } = kafkajs;

const CLOSE_BOUND_MS = 2_000;

type TopicSettings = DescribeConfigResponse['resources'][number]['configEntries'];

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

  async topicSetting(name: string, setting: string): Promise<string | undefined> {
    return (await this.#settings(name)).find((each) => each.configName === setting)?.configValue;
  }

  /** kafkajs has no incremental change: what is set on the topic already is set again along with it. */
  async setTopicSetting(name: string, setting: string, value: string): Promise<void> {
    const kept = (await this.#settings(name))
      .filter((each) => each.configSource === ConfigSource.TOPIC_CONFIG && each.configName !== setting)
      .map((each) => ({ name: each.configName, value: each.configValue }));
    await this.#connected(() =>
      this.#admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name, configEntries: [...kept, { name: setting, value }] }],
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
