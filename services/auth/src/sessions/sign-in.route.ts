import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { emailAddress } from '../accounts/email-address.ts';
import { tooManyAttempts } from '../guessing/guessing.errors.ts';
import { typedPassword } from '../passwords/password.ts';
import { accountDisabled, invalidCredentials } from './sessions.errors.ts';
import type { createSignIn } from './sign-in.ts';
import { answerSignedIn, deviceOf, eventHeader, signedInAnswer } from './signed-in-answer.ts';

/** `POST /v1/auth/sign-in` */
export const signInRoute = ({ signIn }: { readonly signIn: ReturnType<typeof createSignIn> }): Route =>
  defineRoute({
    method: 'post',
    path: '/v1/auth/sign-in',
    operationId: 'signIn',
    tag: 'auth',
    summary: 'Sign in with e-mail address and password',
    access: 'anonymous',
    body: z.strictObject({ email: emailAddress, password: typedPassword }),
    bodyLimitBytes: 16_384,
    responses: { 200: { description: 'Signed in.', schema: signedInAnswer, headers: eventHeader } },
    faults: [invalidCredentials, accountDisabled, tooManyAttempts],
    async handle(call) {
      const signedIn = await signIn(call.cause, { ...call.body, device: deviceOf(call), signal: call.signal });
      return { status: 200, ...answerSignedIn(signedIn) };
    },
  });
