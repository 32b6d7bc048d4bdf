/** MongoDB, as the suite is given it. What cannot be done to it is left out; faults that need it are then passed over. */
export interface FaultMongodb {
  /** Without a database. */
  readonly url: string;
  /** Ends the primary as a power cut would, and resolves when it, or another, serves again. */
  readonly kill?: () => Promise<void>;
  /** Makes the primary give up its place, and resolves when there is one again. */
  readonly stepDown?: () => Promise<void>;
  /**
   * Of a replica set of several: cuts the primary off while it is still written to, lets the others choose a new one, and has rolled back
   * what the old one alone knew. Resolves when the new one serves, under the same address.
   */
  readonly rollBack?: () => Promise<void>;
  /** Lets the oplog forget all that was in it until now. */
  readonly forgetOplog?: () => Promise<void>;
}

/** Kafka, as the suite is given it. */
export interface FaultKafka {
  /** `host:port`, one broker: replicas reach it through a proxy. */
  readonly broker: string;
  /** Ends it; its data stays. */
  readonly stop?: () => Promise<void>;
  /** Starts it again, and resolves when it serves. */
  readonly start?: () => Promise<void>;
}

/** The servers of a run: nobody else's, since faults break them. */
export interface FaultServers {
  readonly mongodb: FaultMongodb;
  readonly kafka: FaultKafka;
}
