import type { Collection, Filter, FindOptions } from 'mongodb';

import { together } from './together.ts';

/**
 * Reads documents by their ids; those that are asked for while others are being read go together.
 *
 * @param native - at majority, where what is read is to be decided by
 * @param options - of each reading
 * @returns reads one; undefined where there is none. Who asks for the same at once is given the same: nobody changes it.
 */
export const gatherReads = <Doc extends { readonly _id: string }, Read extends { readonly _id: string } = Doc>(
  native: Collection<Doc>,
  options: Pick<FindOptions, 'projection' | 'maxTimeMS'> = {},
): ((id: string) => Promise<Read | undefined>) =>
  together(async (ids: readonly string[]) => {
    const [only] = ids;
    if (only !== undefined && ids.length === 1)
      return [{ value: (await native.findOne<Read>({ _id: only } as Filter<Doc>, options)) ?? undefined }];
    const found = new Map<string, Read>();
    const rows = native.find<Read>({ _id: { $in: [...new Set(ids)] } } as unknown as Filter<Doc>, options);
    for (const row of await rows.toArray()) found.set(row._id, row);
    return ids.map((id) => ({ value: found.get(id) }));
  });
