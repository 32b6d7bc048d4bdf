import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { defineRoute, isNotModified, type Route } from '@causeway/service';

const gzip = promisify(gzipCallback);

/** A file that pages load. */
interface Asset {
  readonly path: string;
  readonly type: string;
  readonly read: () => Promise<Buffer>;
}

/** Swagger UI lies in node_modules: nothing is loaded from elsewhere. */
const swaggerUi = (file: string): (() => Promise<Buffer>) => {
  const url = new URL(import.meta.resolve(`swagger-ui-dist/${file}`));
  return () => readFile(url);
};

const inline = (text: string) => (): Promise<Buffer> => Promise.resolve(Buffer.from(text));

const initializer = `window.addEventListener('load', () => {
  window.ui = SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: true,
    presets: [SwaggerUIBundle.presets.apis],
  });
});
`;

const pageStyle = `:root { color-scheme: light dark; }
body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1.25rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
dt { margin-top: 1rem; } dd { margin: 0; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
`;

const assets: readonly Asset[] = [
  { path: '/docs/swagger-ui.css', type: 'text/css', read: swaggerUi('swagger-ui.css') },
  { path: '/docs/swagger-ui-bundle.js', type: 'text/javascript', read: swaggerUi('swagger-ui-bundle.js') },
  { path: '/docs/favicon-32x32.png', type: 'image/png', read: swaggerUi('favicon-32x32.png') },
  { path: '/docs/initializer.js', type: 'text/javascript', read: inline(initializer) },
  { path: '/docs/page.css', type: 'text/css', read: inline(pageStyle) },
];

interface Loaded {
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly etag: string;
}

const load = async (asset: Asset): Promise<Loaded> => {
  const plain = await asset.read();
  return { plain, zipped: await gzip(plain), etag: `"${hash('sha256', plain, 'base64url').slice(0, 22)}"` };
};

const acceptsGzip = (header: string | string[] | undefined): boolean =>
  /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/i.test(String(header ?? ''));

const assetRoute = (asset: Asset): Route => {
  let loaded: Promise<Loaded> | undefined;
  return defineRoute({
    method: 'get',
    path: asset.path,
    operationId: `asset ${asset.path}`,
    tag: 'docs',
    summary: 'A part of the documentation pages',
    access: 'anonymous',
    hidden: true,
    responses: { 200: { description: 'The file.' }, 304: { description: 'It has not changed.' } },
    handle: async ({ headers }) => {
      loaded ??= load(asset);
      const { plain, zipped, etag } = await loaded;
      // The tag of a coding is weak: it names the same thing in other bytes.
      const common = { ETag: `W/${etag}`, 'Cache-Control': 'public, max-age=3600', Vary: 'Origin, Accept-Encoding' };
      if (isNotModified(headers['if-none-match'], etag)) return { status: 304, headers: common };
      const small = acceptsGzip(headers['accept-encoding']);
      return {
        status: 200,
        headers: {
          ...common,
          'Content-Type': asset.type.startsWith('text/') ? `${asset.type}; charset=utf-8` : asset.type,
          ...(small && { 'Content-Encoding': 'gzip' }),
        },
        json: small ? zipped : plain,
      };
    },
  });
};

/** What the pages load, each under a path of its own. */
export const assetRoutes: readonly Route[] = assets.map(assetRoute);
