import { html, type Html } from './html.ts';

/** A page. */
export interface Page {
  readonly title: string;
  /** In the head: style sheets and scripts, each a file of this origin. */
  readonly head?: Html;
  readonly body: Html;
}

/**
 * A whole HTML page.
 *
 * @param page - its parts
 */
export const htmlPage = ({ title, head, body }: Page): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html> `;

/** Nothing but what this origin itself serves, and none of it inline (CSP Level 3). */
const policy = (formAction: "'self'" | "'none'"): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ].join('; ');

/** Headers of a page for reading: it has no forms, and says the same to everybody. */
export const pageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': policy("'none'"),
} as const;

/**
 * Headers of a page with forms, made for one visitor. A link that it was reached by may hold a token, so a referrer never names its
 * path; `no-referrer` would go further and make the browser send its own forms with `Origin: null` (Fetch standard, "append a request
 * Origin header"), which looks like a stranger's.
 */
export const formPageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': policy("'self'"),
  'Referrer-Policy': 'strict-origin',
  'X-Robots-Tag': 'noindex',
} as const;
