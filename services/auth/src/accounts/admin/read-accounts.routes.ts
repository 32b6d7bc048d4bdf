import { faults } from '@causeway/contracts';
import { parseAfter } from '@causeway/events';
import { defineRoute, etag, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { AccountCursors } from './account-cursors.ts';
import { administeredRepresentation, representAdministered } from './administered-account.ts';
import type { AdministeredAccounts } from './administered-accounts.ts';

/** The parameters of every path about one account. */
export const accountParams = z.object({ id: z.string().max(64) });

/** For the documentation. */
export const afterHeader = {
  'Causeway-After': { description: 'The highest `Causeway-Position` seen: nothing older is answered.' },
};

/** Accounts are for those who administer them alone. */
export const forAdministrators = { 'Cache-Control': 'no-store' } as const;

const path = '/v1/auth/accounts';

/** RFC 5321 §4.5.3.1.3: there is no longer address. */
const longestSearch = 254;

const question = z.object({
  search: z
    .string()
    .trim()
    .min(1)
    .max(longestSearch)
    .optional()
    .meta({ description: "An account's id, or what its address begins with; those found are by address." }),
  status: z.enum(['active', 'disabled']).optional(),
  role: z.enum(['admin', 'member']).optional(),
});

const query = question.extend({
  cursor: z.string().max(2_048).optional().meta({ description: '`nextCursor` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(200).default(20),
});

/** `GET /v1/auth/accounts` */
export const listAccountsRoute = ({
  accounts,
  cursors,
}: {
  readonly accounts: Pick<AdministeredAccounts, 'list'>;
  readonly cursors: AccountCursors;
}): Route =>
  defineRoute({
    method: 'get',
    path,
    operationId: 'listAccounts',
    tag: 'auth',
    summary: 'List and search accounts',
    description: 'The newest first, or by address where one is searched for.',
    access: 'admin',
    query,
    requestHeaders: afterHeader,
    responses: {
      200: {
        description: 'A page of accounts.',
        schema: z.object({ items: z.array(administeredRepresentation), nextCursor: z.string().nullable() }),
        headers: { Link: { description: 'The next page (`rel="next"`).' } },
      },
    },
    async handle({ query: { cursor, limit, ...asked }, headers }) {
      const place = cursor === undefined ? undefined : cursors.open(asked, cursor);
      const page = await accounts.list(asked, { place, limit, after: parseAfter(headers['causeway-after']) });
      const nextCursor = page.next === undefined ? null : cursors.seal(asked, page.next);
      const items = page.accounts.map(representAdministered);
      return {
        status: 200,
        headers: { ...forAdministrators, Link: nextLink(asked, limit, nextCursor) },
        body: { items, nextCursor },
      };
    },
  });

const nextLink = (asked: z.output<typeof question>, limit: number, cursor: string | null): string | undefined => {
  if (cursor === null) return undefined;
  const own = Object.entries({ ...asked, limit: String(limit), cursor }).filter(([, value]) => value !== undefined);
  return `<${path}?${new URLSearchParams(own as [string, string][]).toString()}>; rel="next"`;
};

/** `GET /v1/auth/accounts/{id}` */
export const readAdministeredRoute = ({ accounts }: { readonly accounts: Pick<AdministeredAccounts, 'byId'> }): Route =>
  defineRoute({
    method: 'get',
    path: `${path}/{id}`,
    operationId: 'readAccountOf',
    tag: 'auth',
    summary: "Somebody's account",
    access: 'admin',
    params: accountParams,
    requestHeaders: {
      'If-None-Match': { description: 'Answers 304 where it names the current revision.' },
      ...afterHeader,
    },
    responses: {
      200: {
        description: 'The account.',
        schema: administeredRepresentation,
        headers: { ETag: { description: 'The revision.' } },
      },
      304: { description: '`If-None-Match` names the current revision.' },
    },
    faults: [faults.notFound],
    async handle({ params, headers }) {
      const account = await accounts.byId(params.id, parseAfter(headers['causeway-after']));
      if (account === undefined) throw faults.notFound();
      const current = etag(account.revision);
      const common = { ETag: current, 'Cache-Control': 'private, no-cache' };
      if (isNotModified(headers['if-none-match'], current)) return { status: 304, headers: common };
      return { status: 200, headers: common, body: representAdministered(account) };
    },
  });
