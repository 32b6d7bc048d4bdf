import { faults } from '@causeway/contracts';
import { defineRoute } from '@causeway/service';
import type { Route } from '@causeway/service';
import { z } from 'zod';

import type { MigrationDocument } from './migration.model.ts';
import { answerMigration, migrationAnswer } from './migration-answer.ts';
import type { ShownPlace } from './migration-answer.ts';
import { migrationFaults } from './migrations.errors.ts';
import type { AskedMigration, createMigrations } from './migrations.ts';
import { stepBody } from './step.ts';

/** What the routes are given. */
export interface MigrationRoutesDependencies {
  readonly migrations: ReturnType<typeof createMigrations>;
  readonly placeOf: (migration: MigrationDocument) => Promise<ShownPlace>;
  /** Begins at once, where there is room. */
  readonly begin: (migration: MigrationDocument) => void;
}

const name = z
  .string()
  .regex(/^\d{4}-[a-z0-9-]{1,50}$/, 'Four digits, then - and up to 50 small letters, digits and -: `0001-titles`.');
const steps = z.array(stepBody).min(1).max(20);

const headers = {
  Location: { description: 'Where its progress is told.' },
  'Causeway-Event': { description: 'The id of the event; absent where nothing has changed.' },
};

/** The calls by which administrators change what is there, step by step. */
export function migrationRoutes({ migrations, placeOf, begin }: MigrationRoutesDependencies): readonly Route[] {
  const show = async (migration: MigrationDocument) => answerMigration(migration, await placeOf(migration));

  const answer = async ({ migration, eventId }: AskedMigration) => {
    if (eventId !== undefined) begin(migration);
    const isUnderWay = migration.status === 'running';
    return {
      status: isUnderWay ? (202 as const) : (200 as const),
      headers: {
        Location: isUnderWay ? `/v1/migrations/${migration._id}` : undefined,
        'Retry-After': isUnderWay ? 1 : undefined,
        'Causeway-Event': eventId,
      },
      body: await show(migration),
    };
  };

  return [
    defineRoute({
      method: 'post',
      path: '/v1/migrations',
      operationId: 'makeMigration',
      tag: 'data',
      summary: 'Make a migration, or have it go on',
      description:
        'Its steps are made one after the other, and records in transactions of up to 200 with their events, whoever is killed: each is changed ' +
        'once. One migration is made at a time, in the order of their names. Sent again it is left as it is; where it has stopped at a record, ' +
        'it goes on.',
      access: 'admin',
      body: z.strictObject({
        name,
        steps,
        down: steps.optional().describe('What reverts it; without them `define` and a `$rename` of all records are.'),
      }),
      responses: {
        200: { description: 'It has been made before.', schema: migrationAnswer, headers },
        202: { description: 'It is under way.', schema: migrationAnswer, headers },
      },
      faults: [migrationFaults.differs, migrationFaults.outOfOrder, migrationFaults.unfinished],
      handle: async ({ cause, body }) => {
        const { down, ...wanted } = body;
        return await answer(await migrations.make(cause, { ...wanted, ...(down === undefined ? {} : { down }) }));
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/migrations',
      operationId: 'listMigrations',
      tag: 'data',
      summary: 'List migrations',
      access: 'admin',
      query: z.strictObject({
        before: z.string().max(60).optional().describe('The name before which to begin.'),
        limit: z.coerce.number().int().min(1).max(200).optional().describe('50 by default.'),
      }),
      responses: {
        200: {
          description: 'Migrations by name, the last first.',
          schema: z.object({ items: z.array(migrationAnswer) }),
        },
      },
      async handle({ query: { before, limit = 50 } }) {
        const found = await migrations.list(before, limit);
        return { status: 200, body: { items: await Promise.all(found.map(show)) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/migrations/{name}',
      operationId: 'readMigration',
      tag: 'data',
      summary: 'Read a migration, and how far it is',
      access: 'admin',
      params: z.object({ name: z.string() }),
      responses: { 200: { description: 'The migration.', schema: migrationAnswer } },
      faults: [faults.notFound],
      async handle({ params }) {
        const migration = await migrations.find(params.name);
        if (migration === null) throw faults.notFound();
        return { status: 200, body: await show(migration) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/migrations/{name}/revert',
      operationId: 'revertMigration',
      tag: 'data',
      summary: 'Revert a migration, or have its revert go on',
      description: 'The last one that was made, or one that has stopped.',
      access: 'admin',
      params: z.object({ name: z.string() }),
      responses: {
        200: { description: 'It has been reverted before.', schema: migrationAnswer, headers },
        202: { description: 'It is being reverted.', schema: migrationAnswer, headers },
      },
      faults: [faults.notFound, migrationFaults.outOfOrder, migrationFaults.unfinished, migrationFaults.irreversible],
      handle: async ({ cause, params }) => await answer(await migrations.revert(cause, params.name)),
    }),
  ];
}
