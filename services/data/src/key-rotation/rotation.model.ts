/** Where a rotation stands: every replica has to hear of the new key, seals with it, and then the records get it. */
export type RotationStage = 'announced' | 'resealing' | 'done';

/**
 * The rotation of a collection's key: its last one. Written plainly: it is nobody's record, and moves on with each chunk of records; who asked for
 * it the event of the definition tells.
 */
export interface RotationDocument {
  /** The collection's. */
  readonly _id: string;
  readonly status: 'running' | 'ended';
  readonly stage: RotationStage;
  /** Of the key that records are to be sealed with. */
  readonly version: number;
  readonly begunAt: Date;
  /** When the new key was known to be committed; by MongoDB's clock. */
  readonly announcedAt?: Date;
  readonly endedAt?: Date;
  /** Rises with each look at all records: the last one finds nothing more to do. */
  readonly pass: number;
  /** The id of the last record that has been looked at in this pass. */
  readonly after?: string;
  readonly lookedInPass: number;
  readonly resealedInPass: number;
  /** Records that have been sealed anew, in all passes. */
  readonly resealed: number;
  /** Records of this pass whose values do not open: they stay as they are, and so does their key. */
  readonly broken: number;
}

/** The collection of {@link RotationDocument}s. */
export const rotationsCollection = 'key_rotations';

/** What a pass begins with. */
export const passBegin = { lookedInPass: 0, resealedInPass: 0, broken: 0 } as const;
