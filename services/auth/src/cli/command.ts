/** What came of a command. */
export interface Ran {
  /** 0: it was done; 1: it was not, or something is wrong; 2: it was not asked for in words that are known. */
  readonly status: 0 | 1 | 2;
  /** For a person: on standard output where it was done, else on standard error. */
  readonly text: string;
}

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Something that can be asked for. What it throws was not done. */
export interface Command {
  /** `<topic> <action>`, as it is called by. */
  readonly name: string;
  /** Lines of the usage: what it does, and its options. */
  readonly usage: string;
  /**
   * @param args - what stands behind its name on the command line
   * @throws {@link UsageError}, SettingsError
   */
  readonly run: (args: readonly string[], environment: Environment) => Promise<Ran>;
}

/** A command is not used as it is meant to be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
