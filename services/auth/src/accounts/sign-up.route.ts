import { idempotencyFaults, parseIdempotencyKey } from '@causeway/events';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { newPassword } from '../passwords/password.ts';
import { passwordCommon } from '../passwords/passwords.errors.ts';
import { answerSignedIn, deviceOf, eventHeader, signedInAnswer } from '../sessions/signed-in-answer.ts';
import type { SignedIn } from '../sessions/sign-in.ts';
import { emailTaken } from './accounts.errors.ts';
import { emailAddress } from './email-address.ts';
import { personName } from './person-name.ts';
import type { createSignUp } from './sign-up.ts';

/** Nobody is signed in yet: the keys of all who sign up meet, and have to be random. */
const principal = 'anonymous';

/** @returns the whole answer, as it is stored for repetitions */
export const answerSignedUp = (signedIn: SignedIn) => ({ status: 201 as const, ...answerSignedIn(signedIn) });

type SignUp = ReturnType<typeof createSignUp<ReturnType<typeof answerSignedUp>>>;

/** `POST /v1/auth/sign-up` */
export const signUpRoute = ({ signUp }: { readonly signUp: SignUp }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-up',
    operationId: 'signUp',
    tag: 'auth',
    summary: 'Make an account and sign in',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress, password: newPassword, name: personName.optional() }),
    bodyLimitBytes: 16_384,
    requestHeaders: {
      'Idempotency-Key': { description: 'Repeating the call with the same key has no second effect.' },
    },
    responses: {
      201: {
        description: 'Signed up, and signed in.',
        schema: signedInAnswer,
        headers: { ...eventHeader, 'Idempotency-Replayed': { description: '`true`: the answer of the first call.' } },
      },
    },
    faults: [emailTaken, passwordCommon, ...idempotencyFaults],
    async handle(call) {
      const { cause, body, headers, signal } = call;
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const request = key === undefined ? undefined : { principal, route: 'POST /v1/auth/sign-up', key, body };
      const { answer, replayed } = await signUp(cause, { ...body, device: deviceOf(call), request, signal });
      return replayed ? { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } } : answer;
    },
  });
