import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';

import { afterHeader } from '../../records/record-answer.ts';
import { trialBody } from './asked-trial.ts';
import { trialAnswer } from './trial-answer.ts';
import { trialBusy } from './try.errors.ts';
import type { createTryRules } from './try-rules.ts';

const description = [
  'Compares the rules that there are with those that are sent, and says for each caller which records they would gain and lose, which fields in them, and',
  'what a feed would have told them; and of the calls that the last events tell of, which would be refused now, or allowed. It decides as calls do. Nothing is saved,',
  'and what is said holds for the time of the look: 15 s at most, then with `complete` false.',
].join(' ');

/** `POST /v1/rules/try` */
export const tryRulesRoute = ({ tryRules }: { readonly tryRules: ReturnType<typeof createTryRules> }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/rules/try',
    operationId: 'tryRules',
    tag: 'data',
    summary: 'Say who would gain and lose what by new rules, before they are saved',
    description,
    access: 'admin',
    body: trialBody,
    bodyLimitBytes: 262_144,
    requestHeaders: afterHeader,
    responses: { 200: { description: 'What would change, for whom.', schema: trialAnswer } },
    faults: [faults.notFound, trialBusy],
    handle: async ({ body, headers, signal }) => ({
      status: 200,
      body: await tryRules(body, parseAfter(headers['causeway-after']), signal),
    }),
  });
