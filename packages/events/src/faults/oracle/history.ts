import type { EventEnvelope } from '@causeway/contracts';

import type { HandledStatus } from '../../consumer/inbox.ts';
import type { EffectFacts, HandlerFacts } from '../replica/protocol.ts';
import type { SentCommand } from './commands.ts';

/** A document, or the tombstone of one, as it is at the end. */
export interface KeptDocument {
  readonly collection: string;
  readonly id: string;
  readonly revision: number;
  /** The id of the event of its last write. */
  readonly event: string;
}

/** A row of a service's log. */
export interface LoggedFact {
  readonly slot: number;
  readonly pos: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: EventEnvelope;
}

/** A record of a service's topic that is an event. */
export interface PublishedFact {
  readonly partition: number;
  readonly event: EventEnvelope;
}

/** A row of a service's inbox. */
export interface HandledFact {
  readonly handler: string;
  readonly event: string;
  readonly status: HandledStatus;
  readonly caused: readonly string[];
  readonly at: number;
}

/** What one handler has done with one subject, in the order of its commits. */
export interface JournalFact {
  readonly handler: string;
  readonly source: string;
  readonly subject: string;
  readonly applied: readonly { readonly event: string; readonly sequence: string }[];
}

/** Everything that is left of a run in one service. */
export interface ServiceHistory {
  readonly service: string;
  readonly handlers: readonly HandlerFacts[];
  readonly documents: readonly KeptDocument[];
  /** By slot and position. */
  readonly log: readonly LoggedFact[];
  /** The topic from its beginning, of each partition in the order of offsets. */
  readonly published: readonly PublishedFact[];
  /** Places of records in the topic that are no events. */
  readonly unreadable: readonly string[];
  readonly handled: readonly HandledFact[];
  readonly journal: readonly JournalFact[];
  /** What projections have made of the last event of each subject. */
  readonly projected: readonly EffectFacts[];
}

/** Everything that is left of a run. */
export interface History {
  readonly services: readonly ServiceHistory[];
  readonly commands: readonly SentCommand[];
}

/** What a check is called. */
export type CheckName =
  | 'conservation'
  | 'no loss'
  | 'command once'
  | 'no phantom'
  | 'order'
  | 'effect once'
  | 'whole causes'
  | 'bounded recovery'
  | 'promptness'
  | 'no crash';

/** Something that was promised and is not so. */
export interface Violation {
  readonly check: CheckName;
  /** With the ids that it is about. */
  readonly what: string;
}
