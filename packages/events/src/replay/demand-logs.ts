import { serviceOf, topicOf } from '@causeway/contracts';

import type { Handler } from '../consumer/handler.ts';
import { NoWayToLog, type ProducerLog } from '../log/producer-log.ts';
import { replayFaults } from './replay.errors.ts';

/**
 * Makes sure that there is a way to the logs of whoever publishes what handlers take, before anything is begun that would wait for one
 * for ever.
 *
 * @returns the topics that they are behind
 * @throws Fault `no-log`
 */
export const demandLogs = (
  handlers: readonly Pick<Handler, 'on'>[],
  logs: (topic: string) => ProducerLog,
): readonly string[] => {
  const topics = new Set(handlers.flatMap(({ on }) => on.map(({ type }) => topicOf(serviceOf(type)))));
  for (const topic of topics) {
    try {
      logs(topic);
    } catch (error) {
      if (!(error instanceof NoWayToLog)) throw error;
      throw replayFaults.noLog({ detail: `It is the one behind ${error.topic}.`, cause: error });
    }
  }
  return [...topics];
};
