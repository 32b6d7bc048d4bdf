import { hash } from 'node:crypto';
import { isNotModified } from '@causeway/service';

type AnswerHeaders = Readonly<Record<string, string>>;

/** A document as it is served. */
export interface JsonDocument {
  readonly json: string;
  /** A strong entity tag, with its quotes. */
  readonly etag: string;
}

/** Makes a document of a value. */
export const jsonDocument = (value: unknown): JsonDocument => {
  const json = JSON.stringify(value);
  return { json, etag: `"${hash('sha256', json, 'base64url').slice(0, 22)}"` };
};

/** What a document is answered with. */
export type JsonAnswer =
  | { readonly status: 304; readonly headers: AnswerHeaders }
  | { readonly status: 200; readonly headers: AnswerHeaders; readonly json: string };

/**
 * Answers with a document, or that it has not changed.
 *
 * @param ifNoneMatch - as it was sent
 * @param headers - further headers of the answer
 */
export const answerDocument = (
  { json, etag }: JsonDocument,
  ifNoneMatch: string | undefined,
  headers: AnswerHeaders = {},
): JsonAnswer => {
  const common = { ETag: etag, 'Cache-Control': 'no-cache', ...headers };
  if (isNotModified(ifNoneMatch, etag)) return { status: 304, headers: common };
  return { status: 200, headers: common, json };
};
