import type { Order } from '../operations/leased-work.ts';
import type { RecordedDocument } from '../recording/recorded-document.ts';

/** The name of the collection of {@link RedriveDocument}s. */
export const redrives = 'redrives';

/** The name of the collection of {@link DiscardDocument}s. */
export const discards = 'discards';

/** How much is to be handled again; an event of an ordered handler takes the earlier ones of its subject along. */
export type RedriveScope = 'event' | 'subject' | 'handler';

/** An administrator's wish that parked events be handled again, and what came of it. */
export interface RedriveDocument extends Order {
  readonly handler: string;
  readonly scope: RedriveScope;
  /** What it holds, so that no two of them run side by side: a subject, an event, or `*`. */
  readonly target: string;
  readonly eventId: string;
  readonly subject: string;
  readonly sequence: string;
  /** Events in a second, at most. */
  readonly ratePerSecond: number;
  readonly redriven: number;
  readonly failed: number;
}

/** A parked event that was given up. */
export interface DiscardDocument extends RecordedDocument {
  readonly handler: string;
  readonly eventId: string;
  readonly reason: string;
}
