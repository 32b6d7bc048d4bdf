import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { afterHeader } from '../../records/record-answer.ts';
import { queryTooSlow } from '../../records/records.errors.ts';
import { ruleTooCostly } from '../rules.errors.ts';
import { explainBody } from './asked-explanation.ts';
import type { createExplainRules } from './explain-rules.ts';

const failure = z.object({
  words: z.string(),
  found: z.string().optional().describe('What the record has there, as JSON; `nothing` where it has none.'),
});

const clause = z.object({
  pointer: z.string().describe('Where it stands in the definition: `/rules/read/0`.'),
  rule: z.enum(['read', 'create', 'update-before', 'update-after', 'delete']),
  pending: z.boolean().optional().describe('Whether it is of the definition that is about to come.'),
  holds: z.boolean(),
  words: z.string(),
  fails: failure.optional().describe('The first part that does not hold.'),
});

const fieldClause = z.object({
  path: z.string(),
  rule: z.enum(['read', 'write']),
  holds: z.boolean(),
  decidedBy: z.object({ pointer: z.string(), words: z.string() }),
});

const explained = z.object({
  allowed: z.boolean(),
  status: z
    .union([z.literal(200), z.literal(403), z.literal(404)])
    .describe('What the call would be answered with, as far as rules go.'),
  because: z.string().describe('In one sentence.'),
  decidedBy: z.object({ pointer: z.string(), words: z.string() }).nullable().describe('Null where there is no record.'),
  clauses: z.array(clause).describe('All that was looked at, in this order.'),
  fields: z
    .array(fieldClause)
    .optional()
    .describe(
      'Of fields with rules of their own: which are seen, or of those that the change touches, which may be written.',
    ),
});

const description = [
  'It decides as the call itself would, and says which clause of which rule did. `decidedBy` is the alternative that lets somebody pass; where none',
  'does, the only one, or the rule. It looks at rules alone, those of single fields too: not at the schema, nor at fields that are read-only or written once. Nothing is written.',
].join(' ');

/** `POST /v1/rules/explain` */
export const explainRulesRoute = ({
  explainRules,
}: {
  readonly explainRules: ReturnType<typeof createExplainRules>;
}): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/rules/explain',
    operationId: 'explainRules',
    tag: 'data',
    summary: 'Say why somebody may do something with a record, or may not',
    description,
    access: 'admin',
    body: explainBody,
    bodyLimitBytes: 2 * 524_288,
    requestHeaders: afterHeader,
    responses: { 200: { description: 'The decision, and what made it.', schema: explained } },
    faults: [faults.notFound, ruleTooCostly, queryTooSlow],
    handle: async ({ body, headers }) => ({
      status: 200,
      body: await explainRules(body, parseAfter(headers['causeway-after'])),
    }),
  });
