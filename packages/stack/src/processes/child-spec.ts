/** A port that a child listens on, and the setting by which a person can move it. */
export interface PortUse {
  readonly port: number;
  readonly setting: string;
}

/** Everything that the supervisor has to know to run one child. */
export interface ChildSpec {
  readonly name: string;
  readonly kind: 'server' | 'service';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly cwd: string;
  /** Where it answers, for a person. */
  readonly address: string;
  readonly ports: readonly PortUse[];
  /** Makes ready what the child needs on disk; run before each start. */
  readonly prepare?: (signal: AbortSignal) => void | Promise<void>;
  /** One look whether it is ready; throws why not. It is asked again until `readyTimeoutMs`. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  readonly readyTimeoutMs: number;
  /** How long it may take to end after SIGTERM before SIGKILL. */
  readonly stopTimeoutMs: number;
  /** Takes away what the process itself leaves when it is killed (a container). */
  readonly cleanUp?: () => Promise<void>;
}

/**
 * - `starting`: its process runs, and is not ready yet
 * - `waiting`: it ended by itself, and is started again after a while
 * - `given-up`: it ended too often; somebody has to look
 */
export type ChildState = 'starting' | 'ready' | 'waiting' | 'given-up' | 'stopped';

export interface ChildStatus {
  readonly name: string;
  readonly kind: ChildSpec['kind'];
  readonly address: string;
  readonly log: string;
  readonly state: ChildState;
  readonly pid?: number;
  /** How often it was started again after it had ended by itself. */
  readonly restarts: number;
}
