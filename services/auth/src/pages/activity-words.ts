import type { AuditEntry } from '../audit/audit-entry.ts';

type Told = Pick<AuditEntry, 'type' | 'facts' | 'personal'>;
type Words = string | ((told: Told) => string);

/** What a table has under a name, and not what every object has. */
const wordIn = <Value>(table: Readonly<Record<string, Value>>, name: unknown): Value | undefined =>
  typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;

const changes: Readonly<Record<string, string>> = {
  password: 'The password was changed',
  email: 'The e-mail address was changed',
  emailVerified: 'The e-mail address was verified',
  roles: 'What the account may do was changed',
  factors: 'What signing in asks for was changed',
  passwordParameters: 'The password is stored in a newer way',
};

const changeOf = ({ facts }: Told): string => {
  const changed = Array.isArray(facts.changed) ? (facts.changed as readonly unknown[]) : [];
  if (changed.includes('disabled'))
    return facts.disabled === true ? 'The account was disabled' : 'The account was enabled again';
  const words = changed.flatMap((name) => wordIn(changes, name) ?? []);
  return words.length === 0 ? 'The account was changed' : words.join('. ');
};

const ends: Readonly<Record<string, string>> = {
  'signed-out': 'Signed out',
  expired: 'A session was over by its age',
  'refresh-reused': 'A session ended: somebody used a copy of it',
  'password-changed': 'A session ended with the old password',
  'email-changed': 'A session ended with the old e-mail address',
  'factor-removed': 'A session ended with the removed factor',
  'account-disabled': 'A session ended with the account',
  'account-deleted': 'A session ended with the account',
  administrator: 'An administrator ended a session',
};

const removals: Readonly<Record<string, string>> = {
  undone: 'Took back',
  administrator: 'An administrator removed',
};

const methods: Readonly<Record<string, string>> = {
  'sign-up': 'Signed up',
  password: 'Signed in with the password',
  link: 'Signed in with a mailed link',
  passkey: 'Signed in with a passkey',
};

const links: Readonly<Record<string, string>> = {
  'verify-email': 'to verify the e-mail address',
  'sign-in-link': 'to sign in',
  'reset-password': 'to choose a new password',
  'change-email': 'to change the e-mail address',
  'undo-email': 'to undo a change of the e-mail address',
  'undo-factor': 'to take a second factor back',
  'sign-up': 'to sign up',
  unlock: 'to unlock the account',
};

const linkOf = ({ facts }: Told): string => wordIn(links, facts.kind) ?? '';
const factorOf = ({ facts }: Told): string => {
  const { kind } = facts;
  if (kind === 'recovery-codes') return 'recovery codes';
  return kind === 'passkey' ? 'a passkey' : 'an authenticator app';
};

const updateOf = (told: Told): string => {
  const { changed } = told.facts;
  const has = (name: string): boolean => Array.isArray(changed) && changed.includes(name);
  if (has('suspected')) return 'A passkey was refused: somebody may have a copy of it';
  if (has('status')) return `Turned on ${factorOf(told)}`;
  return `${has('codes') ? 'Made new' : 'Changed'} ${factorOf(told)}`;
};

const guesses = ({ facts: { count } }: Told): string =>
  count === 1
    ? '1 attempt to sign in failed'
    : `${typeof count === 'number' ? count : 'Some'} attempts to sign in failed`;

const words: Readonly<Record<string, Words>> = {
  'auth.account.created': 'The account was made',
  'auth.account.updated': changeOf,
  'auth.account.deleted': 'The account was deleted',
  'auth.session.started': ({ facts }) => wordIn(methods, facts.method) ?? 'Signed in',
  'auth.session.reauthenticated': 'Proved once more who it is',
  'auth.session.ended': ({ facts }) => wordIn(ends, facts.reason) ?? 'A session was ended',
  'auth.proof.requested': (told) => `A link was asked for ${linkOf(told)}`.trim(),
  'auth.proof.used': (told) => `A mailed link was used ${linkOf(told)}`.trim(),
  'auth.proof.withdrawn': (told) => `A mailed link works no more ${linkOf(told)}`.trim(),
  'auth.factor.added': (told) => `${told.facts.status === 'pending' ? 'Began to add' : 'Added'} ${factorOf(told)}`,
  'auth.factor.updated': updateOf,
  'auth.factor.used': (told) => `Proved who it is with ${factorOf(told)}`,
  'auth.factor.removed': (told) => `${wordIn(removals, told.facts.reason) ?? 'Removed'} ${factorOf(told)}`,
  'auth.guard.failed': guesses,
  'auth.guard.locked': 'Too many attempts failed: signing in is for known devices only',
  'auth.guard.cleared': 'Signing in is possible everywhere again',
  'auth.reservation.expired': 'The e-mail address of before is not kept any more',
  'auth.erasure.requested': 'The erasure of the account was asked for',
};

/**
 * What an entry of the audit says to whom it is about.
 *
 * @returns the type of the event, where a later release has one that has no words yet
 */
export const activityInWords = (told: Told): string => {
  const said = wordIn(words, told.type) ?? told.type;
  return typeof said === 'string' ? said : said(told);
};
