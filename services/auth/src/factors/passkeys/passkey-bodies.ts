import { z } from 'zod';

const base64url = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[\w-]+$/, 'Must be base64url.');

const credential = {
  id: base64url(1_400),
  rawId: base64url(1_400),
  type: z.literal('public-key'),
};

/** Members of what browsers send that nothing here looks at are left out. */
const ticket = z.string().max(256).meta({ description: 'As the options came with.' });

/** What an authenticator answers to being registered (`PublicKeyCredential.toJSON()`). */
export const registrationBody = z.strictObject({
  ticket,
  response: z.object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(8_192),
      attestationObject: base64url(12_288),
      transports: z.array(z.string().max(32)).max(10).optional(),
    }),
  }),
});

/** What an authenticator answers to being used (`PublicKeyCredential.toJSON()`), with the ticket that the options came with. */
export const passkeyAnswer = z.strictObject({
  ticket,
  response: z.object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(8_192),
      authenticatorData: base64url(4_096),
      signature: base64url(2_048),
      userHandle: z.string().max(256).nullish(),
    }),
  }),
});

/** What a browser is to ask an authenticator. */
export const passkeyOptions = z.object({
  ticket: z.string().meta({ description: 'Goes back with the answer: once, within five minutes.' }),
  options: z.record(z.string(), z.unknown()).meta({
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.',
  }),
});

/** An answer of an authenticator to being registered. */
export type RegistrationAnswer = z.output<typeof registrationBody>['response'];

/** An answer of an authenticator to being used. */
export type PasskeyAnswer = z.output<typeof passkeyAnswer>;
