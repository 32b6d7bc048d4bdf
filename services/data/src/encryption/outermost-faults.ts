import { pointerTo } from '../conditions/located-fault.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { encryptedIn } from './sealed-fields.ts';

const message = 'What is stored encrypted here breaks the schema; what of it does is not told, for this is kept.';

/**
 * Has faults of a record's fields say no more of what is stored encrypted than which field it is: the names within it are its own, and why
 * something was refused is kept in the clear.
 *
 * @param definitions - the fields of each definition under which the record may hold something encrypted
 */
export function outermostFaults<
  F extends { readonly pointer?: string; readonly code: string; readonly message: string },
>(faults: readonly F[], ...definitions: readonly (readonly DeclaredField[] | undefined)[]): readonly F[] {
  const sealed = definitions.flatMap((fields) =>
    encryptedIn(fields).map(({ segments }) => segments.reduce<string>(pointerTo, '')),
  );
  const told = new Set<string>();
  return faults.flatMap((fault) => {
    const { pointer = '' } = fault;
    const outer = sealed.find((each) => pointer === each || pointer.startsWith(`${each}/`));
    if (outer === undefined) return [fault];
    if (told.has(outer)) return [];
    told.add(outer);
    return [{ ...fault, pointer: outer, message }];
  });
}
