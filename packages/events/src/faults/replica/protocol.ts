import type { Cause, EventEnvelope } from '@causeway/contracts';

import type { Handler, HandlerOrder } from '../../consumer/handler.ts';
import type { HandledStatus } from '../../consumer/inbox.ts';
import type { FailpointName } from '../../failpoint.ts';
import type { KafkaDriver } from '../../kafka/port.ts';

/** A handler that fails at some events of one subject, however often it tries. */
export interface Poison {
  readonly handler: string;
  readonly subject: string;
  /** Sequences of the first and the last event at which it fails. */
  readonly from: string;
  readonly to: string;
}

/** What a replica is started with, as JSON in {@link settingsVariable}. */
export interface ReplicaSettings {
  readonly service: string;
  readonly driver: KafkaDriver;
  readonly mongodbUrl: string;
  readonly database: string;
  readonly brokers: readonly string[];
  /** Of every topic and group, so that runs share brokers. */
  readonly topicPrefix: string;
  /** Ports of servers, and those of the proxies through which this replica is to reach them. */
  readonly redirects: readonly { readonly from: number; readonly to: number }[];
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly poison: Poison | undefined;
  readonly skewMs: number;
}

/** The environment variable with a replica's {@link ReplicaSettings}. */
export const settingsVariable = 'CAUSEWAY_FAULTS_REPLICA';

/** What is done at a failpoint: the process kills itself, or holds up whoever came there. */
export type FailpointAction = 'kill' | 'hold';

/** What a replica is asked, and answers. */
export type Question =
  | { readonly ask: 'run'; readonly command: string; readonly args: CommandArgs; readonly cause: Cause }
  | { readonly ask: 'effects'; readonly events: readonly EventEnvelope[] }
  | { readonly ask: 'redrive'; readonly cause: Cause };

/** What a replica is told. */
export type Order =
  | { readonly do: 'arm'; readonly failpoint: FailpointName; readonly action: FailpointAction; readonly after: number }
  | { readonly do: 'disarm' }
  | { readonly do: 'poison'; readonly poison: Poison | undefined }
  | { readonly do: 'clock'; readonly skewMs: number }
  | { readonly do: 'stop' };

/** To a replica. */
export type ToReplica = Order | (Question & { readonly id: number });

/** From a replica. */
export type FromReplica =
  | { readonly is: 'ready'; readonly handlers: readonly HandlerFacts[] }
  | { readonly is: 'held'; readonly failpoint: FailpointName }
  | { readonly is: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly is: 'failure'; readonly id: number; readonly error: string };

/** The arguments of a command, as JSON carries them. */
export type CommandArgs = Readonly<Record<string, unknown>>;

/** What the suite knows of a handler. */
export interface HandlerFacts {
  readonly name: string;
  readonly kind: Handler['kind'];
  readonly order: HandlerOrder;
  readonly types: readonly string[];
}

/** What has become of an event at one handler. */
export interface EffectFacts {
  readonly event: string;
  readonly handler: string;
  readonly status: HandledStatus | 'pending';
}
