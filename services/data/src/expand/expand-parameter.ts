import { z } from 'zod';

import { expandLimits } from './expansion.ts';

/** Says what `expand` is, wherever it is sent. */
export const expandDescription = [
  'Fields that are references, as `author` or `project.owner`: what they name is shown beside each record, in `_expand`,',
  'by the rules of its own collection; null, or left out of a list, where there is none that one may see.',
  `Up to ${expandLimits.paths} paths of ${expandLimits.levels} references.`,
].join(' ');

/** The parameter `expand`. */
export const expandParameter = z.string().max(4_096).optional().describe(`${expandDescription} Separated by commas.`);
