import { hash } from 'node:crypto';

import { defineRoute, isNotModified } from '@causeway/service';
import type { Route } from '@causeway/service';

import { accountStyle } from './account-style.ts';

/** Where the style sheet of the pages is. */
export const stylePath = '/account/assets/account.css';

const etag = `"${hash('sha256', accountStyle, 'base64url').slice(0, 22)}"`;

/** The style sheet of the pages. */
export const styleRoute: Route = defineRoute({
  method: 'get',
  path: stylePath,
  operationId: 'accountStyle',
  tag: 'pages',
  summary: 'The style sheet of the pages',
  access: 'anonymous',
  hidden: true,
  responses: { 200: { description: 'The file.' }, 304: { description: 'It has not changed.' } },
  handle: ({ headers }) => {
    const common = { ETag: etag, 'Cache-Control': 'public, max-age=3600' };
    if (isNotModified(headers['if-none-match'], etag)) return { status: 304, headers: common };
    return { status: 200, headers: { ...common, 'Content-Type': 'text/css; charset=utf-8' }, json: accountStyle };
  },
});
