import { fromSequence } from '@causeway/contracts';

/** Subjects of a partition of which the last sequence is remembered, those that moved last. Some 150 bytes each. */
const mostSubjects = 1_000;

/** Forgotten after so long: of an id that is used again, the revisions begin anew once its tombstone is reaped, which takes days. */
const forgetAfterMs = 3_600_000;

/** An event does not follow what came before it of its subject: something is missing, or somebody else writes to the topic. */
export class OutOfSequence extends Error {
  override readonly name = 'OutOfSequence';
  /** The id of the event that it should have followed, where revisions are skipped. */
  readonly after?: string;

  constructor(message: string, after?: string) {
    super(message);
    if (after !== undefined) this.after = after;
  }
}

/** What a partition has brought of each subject, under one assignment. */
export interface SequenceWatch {
  /**
   * Notes an event that arrives, whoever takes it.
   *
   * @returns what is wrong with its sequence: it skips revisions, or another event has it; undefined where nothing is. A lower one than the
   * last is no fault: whatever is delivered again has it.
   */
  arrived(event: {
    readonly subject: string;
    readonly sequence: string;
    readonly id: string;
  }): OutOfSequence | undefined;
  /** Forgets everything: what comes next does not follow what came last. */
  reset(): void;
}

interface Last {
  readonly sequence: number;
  readonly id: string;
  /** On `performance.now()`. */
  readonly at: number;
}

/** How {@link createSequenceWatch} is wired. */
export interface SequenceWatchOptions {
  /** Learns of the first event of a subject, as far as is remembered. */
  readonly onFirst?: (id: string) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/** Makes the watch of one partition. */
export const createSequenceWatch = ({
  onFirst = () => undefined,
  now = () => performance.now(),
}: SequenceWatchOptions = {}): SequenceWatch => {
  /** Those that moved last are at the end. */
  const subjects = new Map<string, Last>();

  const remember = (subject: string, last: Last): void => {
    subjects.delete(subject);
    subjects.set(subject, last);
    if (subjects.size <= mostSubjects) return;
    for (const oldest of subjects.keys()) {
      subjects.delete(oldest);
      return;
    }
  };

  return {
    arrived({ subject, sequence: text, id }) {
      const sequence = fromSequence(text);
      const at = now();
      const found = subjects.get(subject);
      const last = found !== undefined && at - found.at < forgetAfterMs ? found : undefined;
      if (last?.sequence === sequence && last.id !== id)
        return new OutOfSequence(
          `another event of the subject has come with sequence ${sequence}: which of them is true is for you to tell`,
        );
      if (last === undefined) onFirst(id);
      // Told once: what comes after this one follows it.
      if (last === undefined || sequence >= last.sequence) remember(subject, { sequence, id, at });
      if (last !== undefined && sequence > last.sequence + 1)
        return new OutOfSequence(
          `the last event of the subject had sequence ${last.sequence}, this one has ${sequence}: look for those between, and redrive it, or discard it`,
          last.id,
        );
      return undefined;
    },
    reset: () => subjects.clear(),
  };
};
