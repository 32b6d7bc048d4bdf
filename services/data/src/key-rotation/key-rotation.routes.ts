import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import { definitionBusy } from '../collections/collections.errors.ts';
import { fieldKeyMissing } from '../encryption/encryption.errors.ts';
import { removedAfter } from './remove-retired-keys.ts';
import { rotationFaults } from './rotation.errors.ts';
import type { RotationDocument } from './rotation.model.ts';
import type { createRotations, KeysOfCollection } from './rotations.ts';

/** What the routes are given. */
export interface KeyRotationRoutesDependencies {
  readonly rotations: ReturnType<typeof createRotations>;
  /** About how many records a collection has. */
  readonly countOf: (collectionId: string) => Promise<number>;
  /** Begins at once, where there is room. */
  readonly begin: (rotation: RotationDocument) => void;
}

const keysAnswer = z.object({
  current: z.int().describe('The key with which values are sealed.'),
  keys: z.array(
    z.object({
      version: z.int(),
      status: z
        .enum(['announced', 'current', 'replaced'])
        .describe(
          '`announced`: every replica has to hear of it first. `replaced`: values are opened with it, and no longer sealed.',
        ),
      removedAfter: z.iso
        .datetime()
        .optional()
        .describe('When one that no record uses any more is removed; never while one does.'),
    }),
  ),
  rotation: z
    .object({
      version: z.int().describe('The key that records are sealed with anew.'),
      status: z.enum(['announced', 'resealing', 'done']),
      looked: z
        .int()
        .describe('Records that have been looked at in this pass; the last pass finds nothing more to do.'),
      of: z.int().describe('Of about how many.'),
      pass: z.int(),
      resealed: z.int().describe('Records that have been sealed anew in all.'),
      broken: z
        .int()
        .describe('Records whose values do not open: they and their key stay as they are, and the log names them.'),
      begunAt: z.iso.datetime(),
      endedAt: z.iso.datetime().optional(),
    })
    .optional()
    .describe('The last one.'),
});

function answerKeys({ keys, rotation }: KeysOfCollection, count: number): z.input<typeof keysAnswer> {
  const statusOf = (version: number) => {
    if (version === keys.current) return 'current' as const;
    return version > keys.current ? ('announced' as const) : ('replaced' as const);
  };
  return {
    current: keys.current,
    keys: keys.versions.map(({ version, retiredAt }) => ({
      version,
      status: statusOf(version),
      ...(retiredAt === undefined ? {} : { removedAfter: removedAfter(retiredAt).toISOString() }),
    })),
    ...(rotation === null ? {} : { rotation: answerRotation(rotation, count) }),
  };
}

const answerRotation = (
  { version, status, stage, lookedInPass: looked, pass, resealed, broken, begunAt, endedAt }: RotationDocument,
  count: number,
) => ({
  version,
  status: status === 'ended' ? ('done' as const) : stage === 'announced' ? stage : ('resealing' as const),
  // Counted roughly, and before.
  ...{ looked, of: status === 'ended' ? looked : Math.max(count, looked), pass, resealed, broken },
  begunAt: begunAt.toISOString(),
  ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
});

/** The calls by which administrators have a collection get another key. */
export function keyRotationRoutes({ rotations, countOf, begin }: KeyRotationRoutesDependencies): readonly Route[] {
  const params = z.object({ name: z.string() });
  const show = async (name: string) => {
    const found = await rotations.find(name);
    return answerKeys(found, await countOf(found.id));
  };
  return [
    defineRoute({
      method: 'post',
      path: '/v1/collections/{name}/keys/rotations',
      operationId: 'rotateCollectionKey',
      tag: 'data',
      summary: "Rotate the key of a collection's encrypted fields",
      description:
        'The collection gets a new key. Once every replica has heard of it values are sealed with it, and records are sealed anew, while they are read ' +
        'and written: no record changes by that, no revision, no event. It goes on whoever is killed. The key before is kept for a while.',
      access: 'admin',
      params,
      responses: {
        202: {
          description: 'It is under way.',
          schema: keysAnswer,
          headers: {
            Location: { description: 'Where its progress is told.' },
            'Retry-After': { description: 'Seconds after which to look.' },
            'Causeway-Event': { description: 'The id of the event: the definition has the new key beside it.' },
          },
        },
      },
      faults: [faults.notFound, definitionBusy, fieldKeyMissing, ...Object.values(rotationFaults)],
      async handle({ cause, params: { name } }) {
        const { rotation, eventId } = await rotations.begin(cause, name);
        begin(rotation);
        return {
          status: 202,
          headers: { Location: `/v1/collections/${name}/keys`, 'Retry-After': 5, 'Causeway-Event': eventId },
          body: await show(name),
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/collections/{name}/keys',
      operationId: 'readCollectionKeys',
      tag: 'data',
      summary: 'Read which keys a collection has, and how far their rotation is',
      description: 'Never the keys themselves.',
      access: 'admin',
      params,
      responses: { 200: { description: 'The keys.', schema: keysAnswer } },
      faults: [faults.notFound, rotationFaults.nothingEncrypted],
      async handle({ params: { name } }) {
        return { status: 200, body: await show(name) };
      },
    }),
  ];
}
