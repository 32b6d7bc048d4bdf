import { newEventId, type Cause } from '@causeway/contracts';

import type { Command } from '../workload.ts';

/** A command as it was sent, and what its sender knows of it. */
export interface SentCommand extends Command {
  /** The correlation id of everything that it leads to. */
  readonly id: string;
  /** `unknown`: no answer, or one that does not say what became of it. */
  readonly outcome: 'open' | 'acknowledged' | 'unknown';
  /** The events that it was acknowledged with. */
  readonly events: readonly string[];
}

/** The memory of the suite, outside the system: what was asked for, and what was promised. */
export interface Oracle {
  /** @returns the cause to send it with */
  sent(command: Command): Cause;
  acknowledged(id: string, events: readonly string[]): void;
  unknown(id: string): void;
  readonly commands: readonly SentCommand[];
  /** How many were acknowledged so far. */
  readonly acknowledgements: number;
}

/** Makes an oracle that remembers nothing yet. */
export const createOracle = (): Oracle => {
  const commands = new Map<string, SentCommand>();
  let acknowledgements = 0;
  const settle = (id: string, change: Pick<SentCommand, 'outcome' | 'events'>): void => {
    const command = commands.get(id);
    if (command === undefined || command.outcome === 'acknowledged') return;
    commands.set(id, { ...command, ...change });
    if (change.outcome === 'acknowledged') acknowledgements += 1;
  };
  return {
    sent(command) {
      const id = newEventId();
      commands.set(id, { ...command, id, outcome: 'open', events: [] });
      return { correlationId: id, principal: { type: 'system' } };
    },
    acknowledged: (id, events) => settle(id, { outcome: 'acknowledged', events }),
    unknown: (id) => settle(id, { outcome: 'unknown', events: [] }),
    get commands() {
      return [...commands.values()];
    },
    get acknowledgements() {
      return acknowledgements;
    },
  };
};
