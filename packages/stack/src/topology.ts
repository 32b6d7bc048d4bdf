/** A service of the platform: where it is, and what it has to be told. */
export interface ServiceDefinition {
  /** The folder under `services`, the name of its log, and the prefix of its settings. */
  readonly name: string;
  readonly port: number;
  /** Where it gives its metrics and health to operators. */
  readonly opsPort: number;
  /** Its own database; none: it has no state in MongoDB. */
  readonly database?: string;
  /** The services that have to be ready before it is started. */
  readonly after: readonly string[];
  /** It makes the first administrator, and holds the key that encrypts secrets. */
  readonly holdsSecrets?: true;
  /** It holds the key of encrypted fields. */
  readonly holdsFieldKey?: true;
}

/** In the order of their start; they are stopped in the reverse. */
export const services: readonly ServiceDefinition[] = [
  { name: 'auth', port: 8081, opsPort: 9465, database: 'causeway-auth', after: [], holdsSecrets: true },
  { name: 'user', port: 8082, opsPort: 9466, database: 'causeway-user', after: ['auth'] },
  { name: 'data', port: 8083, opsPort: 9467, database: 'causeway-data', after: ['auth'], holdsFieldKey: true },
  { name: 'gateway', port: 8080, opsPort: 9464, after: ['auth', 'user', 'data'] },
];

/** The ports of the embedded servers: beside, not on, those of an ordinary installation. */
export const serverPorts = { mongodb: 27117, kafka: 9192, kafkaController: 9193, redis: 6479 } as const;

export type ServerName = 'mongodb' | 'kafka' | 'redis';
