import { Admin, ConfigResourceTypes, ConfigSources, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { settledWithin } from '../backoff.ts';
import type { TopicSpec } from '../port.ts';
import type { TopicAdmin, TopicSetting } from '../topic-admin.ts';
import { toWireError } from './wire-error.ts';

const CLOSE_BOUND_MS = 2_000;

export class PlatformaticTopicAdmin implements TopicAdmin {
  readonly #admin: Admin;

  /** @param admin With `retries: 0`: the port above repeats. */
  constructor(admin: Admin) {
    this.#admin = admin;
  }

  async createTopic({ name, partitions, replicationFactor, config }: TopicSpec): Promise<boolean> {
    try {
      await this.#admin.createTopics({
        topics: [{ topic: name, partitions, replicas: replicationFactor ?? -1 }],
        configs: Object.entries(config ?? {}).map(([setting, value]) => ({ name: setting, value })),
      });
      return true;
    } catch (error) {
      const wireError = toWireError(error);
      if (wireError.code === 'TOPIC_ALREADY_EXISTS') return false;
      throw wireError;
    }
  }

  async deleteTopic(name: string): Promise<void> {
    try {
      await this.#admin.deleteTopics({ topics: [name] });
    } catch (error) {
      const wireError = toWireError(error);
      if (wireError.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw wireError;
    }
  }

  async topicSettings(name: string, settings: readonly string[]): Promise<ReadonlyMap<string, TopicSetting>> {
    try {
      const asked = { resourceType: ConfigResourceTypes.TOPIC, resourceName: name, configurationKeys: [...settings] };
      const [description] = await this.#admin.describeConfigs({ resources: [asked] });
      return new Map(
        (description?.configs ?? []).flatMap(({ name: setting, value, configSource }) =>
          value === null || value === undefined
            ? []
            : [[setting, { value, own: configSource === ConfigSources.DYNAMIC_TOPIC_CONFIG }]],
        ),
      );
    } catch (error) {
      throw toWireError(error);
    }
  }

  async setTopicSettings(name: string, values: ReadonlyMap<string, string>): Promise<void> {
    try {
      const configOperation = IncrementalAlterConfigOperationTypes.SET;
      const configs = [...values].map(([setting, value]) => ({ name: setting, value, configOperation }));
      await this.#admin.incrementalAlterConfigs({
        resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: name, configs }],
      });
    } catch (error) {
      throw toWireError(error);
    }
  }

  async close(): Promise<void> {
    await settledWithin(this.#admin.close(), CLOSE_BOUND_MS).catch(() => undefined);
  }
}
