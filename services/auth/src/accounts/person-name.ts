import { z } from 'zod';

const longest = 200;

/** What somebody wants to be called: any Unicode on one line, in form NFC, without spaces around it. */
export const personName = z
  .string()
  .max(4 * longest, `Must have at most ${longest} characters.`)
  .refine(
    (text) => text.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(text),
    'Must be one line of well-formed Unicode.',
  )
  .transform((text) => text.normalize('NFC').trim())
  .refine((text) => text !== '', 'Must not be empty.')
  .refine(
    (text) => text.length > 4 * longest || Array.from(text).length <= longest,
    `Must have at most ${longest} characters.`,
  );
