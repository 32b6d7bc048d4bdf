import { z } from 'zod';

/** What one level has asked of one collection, as an explanation tells it. */
export const expandedStep = z.object({
  level: z.int().describe('From 1 on.'),
  collection: z.string(),
  paths: z.array(z.string()).describe('Of the references that lead there.'),
  asked: z.int().describe('Ids that are named.'),
  found: z.int().describe('Records that are seen.'),
});

/** What one level has asked of one collection. */
export type ExpandedStep = z.input<typeof expandedStep>;
