import type { BreachedPasswords } from './blocklist/breached-passwords.ts';
import type { CommonPasswords } from './blocklist/common-password.ts';
import { passwordCommon } from './passwords.errors.ts';

/** What everybody may know of whoever chooses a password. */
export interface KnownOfOwner {
  readonly email: string;
  readonly name?: string | undefined;
}

/** Where the password stands in the call; `/password` where nothing is said. */
type Pointer = '/password' | '/newPassword';

/**
 * Judges a password that somebody chooses.
 *
 * @throws fault `password-common`
 */
export type JudgePassword = (
  password: string,
  owner: KnownOfOwner,
  signal?: AbortSignal,
  pointer?: Pointer,
) => Promise<void>;

/** What {@link createJudgePassword} is given. */
export interface JudgePasswordDependencies {
  readonly isCommon: CommonPasswords;
  /** Absent where nobody is asked. */
  readonly isBreached?: BreachedPasswords | undefined;
}

/** The address, what is before its `@`, the name, and its words put together. */
const knownOf = ({ email, name = '' }: KnownOfOwner): string[] => [
  ...[email, email.slice(0, email.lastIndexOf('@'))],
  ...[name, name.replaceAll(/\s+/gu, '')],
];

/** Makes the judge. It is for passwords that are chosen: those that are there are never judged. */
export const createJudgePassword =
  ({ isCommon, isBreached }: JudgePasswordDependencies): JudgePassword =>
  async (password, owner, signal, pointer = '/password') => {
    if (!isCommon(password, knownOf(owner)) && (await isBreached?.(password, signal)) !== true) return;
    const message = 'Is one of those that are guessed first. Choose another.';
    throw passwordCommon({ errors: [{ pointer, code: 'common', message }] });
  };
