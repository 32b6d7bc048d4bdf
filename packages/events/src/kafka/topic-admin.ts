import type { TopicSpec } from './port.ts';

/** Administration of topics, as the libraries offer it. Every call is bounded and rejects with a WireError. */
export interface TopicAdmin {
  /** @returns Whether it was created; false if it is there already. */
  createTopic(spec: TopicSpec): Promise<boolean>;
  /** One that is not there is passed over. */
  deleteTopic(name: string): Promise<void>;
  topicSetting(name: string, setting: string): Promise<string | undefined>;
  setTopicSetting(name: string, setting: string, value: string): Promise<void>;
  /** Bounded; never rejects. */
  close(): Promise<void>;
}
