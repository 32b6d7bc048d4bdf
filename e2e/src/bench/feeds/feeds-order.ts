/** What a process of subscribers is to do. */
export interface FeedsOrder {
  readonly origin: string;
  /** The collection, as a path. */
  readonly collection: string;
  /** Of each person that subscribes: whom changes name, and the headers of their calls. */
  readonly people: readonly { readonly audience: string; readonly headers: Readonly<Record<string, string>> }[];
  readonly feedsPerPerson: number;
  /** Whom each change names: everybody, or one person after the other. */
  readonly audience: 'all' | 'each';
  readonly writer: Readonly<Record<string, string>>;
  /** Changes a second at which the time to each reader is measured. */
  readonly pace: number;
  /** Changes that are under way at once where it is measured how many there can be. */
  readonly window: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What a process of subscribers tells, a line each: once all feeds are open, and once all is measured. */
export interface FeedsOpened {
  readonly opened: number;
  readonly tookMs: number;
}

/** What came of it. */
export interface FeedsResult {
  /** At the pace that was asked for. */
  readonly paced: {
    /** Changes that were written a second: less than asked for where they could not be. */
    readonly perSecond: number;
    /** From sending a change to each reader's reading of it. */
    readonly p50Ms: number;
    readonly p99Ms: number;
  };
  /** As many as there can be: changes a second, each read by all that it is for. */
  readonly full: { readonly perSecond: number };
  /** Deliveries that did not come in time. */
  readonly missing: number;
}
