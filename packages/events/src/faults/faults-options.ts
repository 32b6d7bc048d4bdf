import type { KafkaDriver } from '../kafka/port.ts';
import type { Fault } from './fault.ts';
import type { FaultService } from './fleet.ts';
import type { FaultServers } from './servers.ts';
import type { Workload } from './workload.ts';

/** What is to be broken, and how it is held against its promises. */
export interface FaultsOptions {
  /** Any whole number; the same one chooses the same commands, victims and moments, as far as they are ours to choose. */
  readonly seed: number;
  readonly driver: KafkaDriver;
  readonly services: readonly FaultService[];
  /** For this run alone. */
  readonly servers: FaultServers;
  readonly workload: Workload;
  /** One after another; each has its own verdict. */
  readonly faults: readonly Fault[];
  /** How often all of them are gone through; default 1. */
  readonly rounds?: number;
  /** Seconds in place of minutes; default false. */
  readonly short?: boolean;
  /** From the moment that a fault is healed until everything is at rest; default 120,000: what a sweep alone finds takes {@link FaultsOptions.sweepMs}. */
  readonly recoveryMs?: number;
  /** From recorded to the effect, where nothing is broken, beside four times the median; default 20,000: far below {@link FaultsOptions.sweepMs}. */
  readonly promptMs?: number;
  /** How long a slot's lease holds; default 2,000. */
  readonly leaseMs?: number;
  /**
   * How often rows are looked for that a bell has missed; default 60,000, rarer than services do, so that what is found by it
   * alone is told from what was only slow.
   */
  readonly sweepMs?: number;
  /** Who sends commands beside each other; default 4. */
  readonly writers?: number;
  /** Between two commands of a writer, on average; default 200: what is to be found are faults, not how much the machine bears. */
  readonly pauseMs?: number;
  /** Node's arguments for replicas, before their module; default: the conditions of this process. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  /** What the replicas of a round that failed have said is kept, and the report says where; default true. */
  readonly keepLogs?: boolean;
  /** Told what happens, a line at a time. */
  readonly onProgress?: (text: string) => void;
}
