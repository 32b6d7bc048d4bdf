import type { Collection } from '../../collections/collection-registry.ts';
import type { Following } from '../follow/follow-records.ts';

/** A definition, as far as rights go. */
export type Side = Pick<Collection, 'rules' | 'fields' | 'follows' | 'cipher'>;

/** The definition that there is, and the one that is tried. */
export interface Sides {
  /** The collection's. */
  readonly id: string;
  readonly present: Side;
  readonly tried: Side;
}

/** What both follow, for who looks for both at once. */
export const followingOf = ({ id, present, tried }: Sides): Following => ({
  id,
  follows: { read: [], all: [...present.follows.all, ...tried.follows.all] },
});
