import { z } from 'zod';

const shortest = 10;
const longest = 256;

/** More than any password of {@link longest} characters needs: bounds the work on what was typed into the field by mistake. */
const longestTyped = 2048;

/**
 * A password as it is hashed: in Unicode's composed form (NFC, UAX #15), so that it is the same whichever keyboard typed it
 * (NIST SP 800-63B §3.1.1.2). Nothing is trimmed or folded.
 *
 * @param typed - as the person typed it
 */
export const normalizePassword = (typed: string): string => typed.normalize('NFC');

/** Characters are code points: what a person would count, near enough, and the same in every language. */
const lengthOf = (password: string): number => Array.from(normalizePassword(password)).length;

/** A password that somebody chooses: length over composition, any Unicode (NIST SP 800-63B §3.1.1.2). */
export const newPassword = z
  .string()
  .max(longestTyped, `Must have at most ${longest} characters.`)
  .refine((typed) => typed.isWellFormed(), 'Must be well-formed Unicode.')
  .refine(
    (typed) => typed.length > longestTyped || lengthOf(typed) >= shortest,
    `Must have at least ${shortest} characters.`,
  )
  .refine(
    (typed) => typed.length > longestTyped || lengthOf(typed) <= longest,
    `Must have at most ${longest} characters.`,
  )
  .meta({ format: 'password', description: `${shortest} to ${longest} characters, any Unicode, compared in form NFC` });

/** A password that somebody signs in with. Its length is not judged: a wrong one is wrong, and says no more. */
export const typedPassword = z
  .string()
  .max(longestTyped, `Must have at most ${longestTyped} characters.`)
  .refine((typed) => typed.isWellFormed(), 'Must be well-formed Unicode.')
  .meta({ format: 'password' });
