import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import type { Answered } from '../../testing/test-data.ts';
import type { Asker } from './generate-world.ts';
import { askers } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import { seen } from './reader-paths.ts';
import type { TwinRequest } from './twin-requests.ts';

/** One of the twins, with names for ids in the order in which they are met: the same in both. */
export interface Twin {
  readonly world: OpenWorld;
  readonly plain: (text: string) => string;
}

/** Gives what is known in both the same names. */
export function twinOf(world: OpenWorld): Twin {
  const known = [
    ...world.ids.map((id, index) => [id, `record ${index}`] as const),
    ...world.projects.ids.map((id, index) => [id, `project ${index}`] as const),
    ...askers.map((asker) => [world.person(asker)?.id ?? asker, asker] as const),
  ];
  const names = new Map<string, string>(known);
  const nameOf = (id: string): string => {
    const name = names.get(id) ?? `id ${names.size}`;
    names.set(id, name);
    return name;
  };
  return {
    world,
    plain: (text) =>
      text
        .replaceAll(world.name, 'collection')
        .replaceAll(/"requestId":"[^"]*"/g, '"requestId":"its own"')
        .replaceAll(/(?:rec|usr|ses)_[0-9a-z]{20,}/gi, nameOf)
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, nameOf)
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'time')
        // What it is made of is signed, but not hidden: its length may not tell of values either.
        .replaceAll(
          /("nextCursor":"|cursor=)([\w.%-]+)/g,
          (_all, name: string, cursor: string) => `${name}${cursor.length}`,
        ),
  };
}

/**
 * An entity tag without what is another each time: that of a page is a hash of its text, that of a record has the revision before it. Told apart
 * by the hash, for a hash may begin as a revision does.
 */
function plainTag(tag: string, text: string): string {
  if (!tag.startsWith('W/"')) return tag;
  const hash = createHash('sha256').update(text).digest('base64url');
  if (tag === `W/"${hash.slice(0, 22)}"`) return 'of the text';
  const [revision = ''] = tag.slice(3).split('-', 1);
  return tag === `W/"${revision}-${hash.slice(0, 16)}"` ? `${revision} of the text` : 'of something else';
}

/** What is answered, without what is another each time: an entity tag is made of what is answered beside it, or says the revision. */
function plainAnswer({ plain }: Twin, { status, headers, text }: Answered): Readonly<Record<string, unknown>> {
  const shown = ['content-type', 'link', 'cache-control', 'allow', 'retry-after', 'location', 'causeway-event'];
  return {
    status,
    text: plain(text),
    tag: plainTag(headers.get('etag') ?? '', text),
    headers: shown.map((name) => plain(headers.get(name) ?? '')),
  };
}

/** Sends a call with ids in the places of names. */
async function ask(
  { world }: Twin,
  asker: Asker,
  { call, query = {}, body, type, accept }: TwinRequest,
  seen: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const named = (text: string): string =>
    text.replaceAll(/#(\d+)/g, (_all, index: string) => world.ids[Number(index)] ?? '');
  const json =
    body === undefined ? undefined : named(JSON.stringify(world.filled(body)).replaceAll('"*"', `"${world.name}"`));
  const parameters = Object.entries(world.filled(query)).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  const address = parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`;
  return await world.call(asker, `${named(call)}${address}`, {
    ...(json === undefined ? {} : { body: json }),
    ...(type === undefined ? {} : { type }),
    headers: { ...(accept === undefined ? {} : { accept }), ...seen },
  });
}

/**
 * What somebody is answered. Where caches may answer, those who see more have asked before, and it is held against what is answered without
 * caches.
 *
 * @throws AssertionError
 */
export async function askTwin(twin: Twin, asker: Asker, request: TwinRequest) {
  const answer = plainAnswer(twin, await ask(twin, asker, request));
  if (request.isKept !== true) return answer;
  const position = await seen(twin.world);
  for (const other of askers) if (other !== asker) await ask(twin, other, request, position);
  const kept = plainAnswer(twin, await ask(twin, asker, request, position));
  assert.deepEqual(kept, answer, `${asker}, from a cache: ${JSON.stringify(request)}`);
  return answer;
}
