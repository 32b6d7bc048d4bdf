import type { Cause } from '@causeway/contracts';
import type { Db } from 'mongodb';

import type { KafkaDriver, KafkaPort } from '../kafka/port.ts';
import type { Fleet } from './fleet.ts';
import type { Random } from './seeded-random.ts';
import type { FaultServers } from './servers.ts';

/** What a fault may do, and lean on. */
export interface FaultContext {
  readonly random: Random;
  readonly driver: KafkaDriver;
  readonly fleet: Fleet;
  readonly servers: FaultServers;
  /** The run's topics, by the names that the services use. */
  readonly kafka: KafkaPort;
  readonly db: (service: string) => Db;
  /** The short form: seconds in place of minutes. */
  readonly short: boolean;
  readonly leaseMs: number;
  /** Resolves when so many more commands were acknowledged. @throws Error - not in time */
  progress(commands: number, withinMs?: number): Promise<void>;
  /** A cause that the oracle knows: of what a fault does to services itself. */
  cause(what: string): Cause;
  /** Makes Kafka forget where the group of a service stands; nobody of it may run. */
  forgetOffsets(service: string): Promise<void>;
  /** Counts records that the fault itself has put into topics a second time. */
  duplicated(records: number): void;
  /** Says something that belongs into the report. */
  note(text: string): void;
}

/** Something that goes wrong. */
export interface Fault {
  /** As `--fault` takes it. */
  readonly name: string;
  /** What happens, in one line. */
  readonly about: string;
  /** What of {@link FaultServers} it needs; `mongodb.kill`. Without it the fault is passed over. */
  readonly needs?: (servers: FaultServers) => boolean;
  /** Makes it happen, under traffic; resolves when it has been there long enough. */
  readonly inject: (context: FaultContext) => Promise<void>;
  /** Takes it away; afterwards everything is there again, and has to come to rest by itself. Run even if `inject` failed. */
  readonly heal?: (context: FaultContext) => Promise<void>;
}
