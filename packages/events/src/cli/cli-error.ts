/** What a command tells a person, and ends with. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** 1: it could not be done; 2: it was not asked for in words that this program knows. */
  readonly status: 1 | 2;

  constructor(message: string, status: 1 | 2 = 1) {
    super(message);
    this.status = status;
  }
}
