import type { History, Violation } from './history.ts';
import type { SentCommand } from './commands.ts';

const wrong = (what: string): Violation => ({ check: 'command once', what });

const kindOf = ({ service, name }: SentCommand): string => `${service}/${name}`;

/** How many events a command of each kind was acknowledged with at most. */
const mostOf = (commands: readonly SentCommand[]): Map<string, number> => {
  const most = new Map<string, number>();
  for (const command of commands) {
    if (command.outcome !== 'acknowledged') continue;
    most.set(kindOf(command), Math.max(most.get(kindOf(command)) ?? 0, command.events.length));
  }
  return most;
};

/**
 * Command once: what goes back to a command directly, without another event between, are the events that it was acknowledged with, and
 * no others. One without an answer has none, or as many as its kind records at most: carried out twice it would have more.
 */
export const checkCommands = ({ services, commands }: History): Violation[] => {
  const recorded = new Map<string, Set<string>>();
  for (const { log } of services) {
    for (const { event } of log) {
      if (event.causationid !== undefined) continue;
      const own = recorded.get(event.correlationid) ?? new Set();
      recorded.set(event.correlationid, own.add(event.id));
    }
  }
  const most = mostOf(commands);
  // What a fault does to services itself, such as a redrive, is not of the workload.
  return commands
    .filter(({ service }) => service !== '')
    .flatMap((command) => {
      const { id, outcome, events } = command;
      const found = [...(recorded.get(id) ?? [])];
      const ids = found.join(', ');
      if (outcome === 'acknowledged') {
        const others = found.filter((event) => !events.includes(event));
        if (others.length === 0) return [];
        return [
          wrong(`the command ${id} was acknowledged with ${events.join(', ') || 'nothing'}, and has recorded ${ids}`),
        ];
      }
      const bound = most.get(kindOf(command)) ?? 1;
      if (found.length <= bound) return [];
      return [wrong(`the command ${id}, which had no answer, has recorded ${found.length} events: ${ids}`)];
    });
};
