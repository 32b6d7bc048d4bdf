import type { TopicSpec } from './port.ts';

/** A setting of a topic. */
export interface TopicSetting {
  readonly value: string;
  /** Whether it was set on the topic itself; else it is the broker's, or Kafka's own. */
  readonly own: boolean;
}

/** Administration of topics, as the libraries offer it. Every call is bounded and rejects with a WireError. */
export interface TopicAdmin {
  /** @returns Whether it was created; false if it is there already. */
  createTopic(spec: TopicSpec): Promise<boolean>;
  /** One that is not there is passed over. */
  deleteTopic(name: string): Promise<void>;
  /** By name; one that Kafka does not know is left out. */
  topicSettings(name: string, settings: readonly string[]): Promise<ReadonlyMap<string, TopicSetting>>;
  /** Sets these, and leaves others as they are. */
  setTopicSettings(name: string, values: ReadonlyMap<string, string>): Promise<void>;
  /** Bounded; never rejects. */
  close(): Promise<void>;
}
