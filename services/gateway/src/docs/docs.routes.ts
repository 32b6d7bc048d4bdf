import { defineRoute, html, htmlPage, pageHeaders, type Route } from '@causeway/service';

import type { ApiDocument } from './api-document.ts';
import { assetRoutes } from './assets.ts';
import { answerDocument } from './json-document.ts';

const docsPage = htmlPage({
  title: 'Causeway API',
  head: html`<link rel="icon" type="image/png" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <script src="/docs/swagger-ui-bundle.js" defer></script>
    <script src="/docs/initializer.js" defer></script>`,
  body: html`<main id="swagger-ui"></main>
    <noscript>This page needs JavaScript. The same in one file: <a href="/openapi.json">/openapi.json</a>.</noscript>`,
}).toString();

const openApi = (document: Pick<ApiDocument, 'current'>): Route =>
  defineRoute({
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenApiDocument',
    tag: 'docs',
    summary: 'This document',
    access: 'anonymous',
    responses: {
      200: {
        description: 'OpenAPI 3.1.',
        schema: { type: 'object', required: ['openapi', 'info', 'paths'] },
        headers: { ETag: { description: 'Changes with the document.' } },
      },
      304: { description: 'It has not changed since.' },
    },
    handle: async ({ headers }) => answerDocument(await document.current(), headers['if-none-match']),
  });

const docs: Route = defineRoute({
  method: 'get',
  path: '/docs',
  operationId: 'getDocs',
  tag: 'docs',
  summary: 'This document, for people',
  access: 'anonymous',
  responses: { 200: { description: 'A page.', mediaTypes: ['text/html'] } },
  handle: () => ({ status: 200, headers: pageHeaders, json: docsPage }),
});

const home: Route = defineRoute({
  method: 'get',
  path: '/',
  operationId: 'getHome',
  tag: 'docs',
  summary: 'Leads to the documentation',
  access: 'anonymous',
  hidden: true,
  responses: { 302: { description: 'To the documentation.' } },
  handle: () => ({ status: 302, headers: { Location: '/docs' } }),
});

/**
 * The documentation: one document of all services, and the page that shows it.
 *
 * @param document - assembled from the services
 */
export const docsRoutes = (document: Pick<ApiDocument, 'current'>): readonly Route[] => [
  openApi(document),
  docs,
  home,
  ...assetRoutes,
];
