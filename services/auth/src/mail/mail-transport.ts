/** A mail as it is handed over. */
export interface RenderedMail {
  /** The same at each attempt: whoever gets it twice can tell. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Where mails go: a mail server, or the mailbox of an installation that has none. */
export interface MailTransport {
  /**
   * Hands a mail over.
   *
   * @param signal - aborted when it is no longer waited for
   * @throws {@link MailNotTaken}
   */
  send(mail: RenderedMail, signal: AbortSignal): Promise<void>;
}

/** A mail was not taken. */
export class MailNotTaken extends Error {
  override readonly name = 'MailNotTaken';
  /** In a word, such as `refused-550` or `no-connection`: what the server said may quote the address. */
  readonly reason: string;
  /** Whether it never will be, however often it is tried. */
  readonly forGood: boolean;

  /** What the network says of it, for the log; nothing that the server has said. */
  readonly detail: string | undefined;

  constructor(
    reason: string,
    { forGood, detail }: { readonly forGood: boolean; readonly detail?: string | undefined },
  ) {
    super(`a mail was not taken: ${reason}`);
    this.reason = reason;
    this.forGood = forGood;
    this.detail = detail;
  }
}
