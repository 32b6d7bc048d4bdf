import type { PortUse } from '../processes/child-spec.ts';

/** Where an embedded server is to live. */
export interface ServerPlace {
  /** Its own folder, made by whoever starts it. */
  readonly dir: string;
  readonly port: PortUse;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}
