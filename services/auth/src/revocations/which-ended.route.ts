import { faults } from '@causeway/contracts';
import { inquiryLimit, internalRoute, whichEndedPath } from '@causeway/service';
import type { AskWhichEnded, Route } from '@causeway/service';
import { z } from 'zod';

const id = z.string().min(1).max(64);

/** Some 120 bytes a token. */
const bodyLimitBytes = 262_144;

const question = z.object({
  tokens: z.array(z.strictObject({ sid: id, sub: id, av: z.int().min(0) })).max(inquiryLimit),
});

const answer = z.object({
  asked: z.int().meta({ description: 'How many tokens the question was about.' }),
  ended: z.array(z.int()).meta({ description: 'Which of them have ended: their places in the question, from 0.' }),
});

/** `POST /internal/revocations/check` */
export const whichEndedRoute = ({ whichEnded }: { readonly whichEnded: AskWhichEnded }): Route =>
  internalRoute({
    method: 'post',
    path: whichEndedPath,
    operationId: 'checkRevocations',
    summary: 'Which of these tokens have ended',
    description:
      'For a service that has not been told of revocations for a while. 503 where it is not known for certain.',
    body: question,
    bodyLimitBytes,
    responses: { 200: { description: 'Those that have ended.', schema: answer } },
    faults: [faults.unavailable],
    async handle({ body: { tokens }, signal }) {
      const asked = tokens.map(({ sid, sub, av }) => ({ sid, sub, accountVersion: av }));
      const answers = await whichEnded(asked, signal).catch((error: unknown) => {
        throw faults.unavailable({ retryAfterS: 1, message: 'which tokens have ended is not known', cause: error });
      });
      const ended = answers.flatMap((hasEnded, index) => (hasEnded ? [index] : []));
      return { status: 200, body: { asked: asked.length, ended } };
    },
  });
