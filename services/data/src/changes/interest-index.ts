import { compileSomeAt } from '../conditions/values-at.ts';
import type { Interest } from './interests.ts';

/** Finds those who may care for a document by the values that it has, without asking each of them. */
export interface InterestIndex<Member> {
  /** @param interests - undefined for who has to be asked about every document */
  add(member: Member, interests: readonly Interest[] | undefined): void;
  remove(member: Member, interests: readonly Interest[] | undefined): void;
  /** All who may care for one of some documents, each once. */
  find(documents: readonly object[]): Iterable<Member>;
}

interface Field<Member> {
  readonly byValue: Map<unknown, Set<Member>>;
  /** Looks up each value that a document has there, as a comparison would see it. */
  readonly look: (document: object, found: Set<Member>) => void;
}

/** Makes it, with nobody in it. */
export function createInterestIndex<Member>(): InterestIndex<Member> {
  const others = new Set<Member>();
  const fields = new Map<string, Field<Member>>();

  const open = ({ storage, segments }: Interest): Field<Member> => {
    const known = fields.get(storage);
    if (known !== undefined) return known;
    const byValue: Field<Member>['byValue'] = new Map();
    const made = { byValue, look: lookThrough(segments, byValue) };
    fields.set(storage, made);
    return made;
  };

  return {
    add(member, interests) {
      if (interests === undefined) others.add(member);
      for (const interest of interests ?? []) {
        const { byValue } = open(interest);
        byValue.set(interest.value, (byValue.get(interest.value) ?? new Set()).add(member));
      }
    },
    remove(member, interests) {
      others.delete(member);
      for (const { storage, value } of interests ?? []) {
        const byValue = fields.get(storage)?.byValue;
        const same = byValue?.get(value);
        same?.delete(member);
        if (same?.size === 0) byValue?.delete(value);
        if (byValue?.size === 0) fields.delete(storage);
      }
    },
    find(documents) {
      if (fields.size === 0) return others;
      const found = new Set(others);
      for (const { look } of fields.values()) for (const document of documents) look(document, found);
      return found;
    },
  };
}

function lookThrough<Member>(segments: readonly string[], byValue: ReadonlyMap<unknown, ReadonlySet<Member>>) {
  let into: Set<Member>;
  const visit = compileSomeAt(segments, 'elements', (value) => {
    for (const member of byValue.get(value) ?? []) into.add(member);
    // So that every value is come by.
    return false;
  });
  return (document: object, found: Set<Member>): void => {
    into = found;
    visit(document);
  };
}
