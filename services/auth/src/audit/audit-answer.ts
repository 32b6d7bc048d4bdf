import { z } from 'zod';

import type { AuditEntry } from './audit-entry.ts';

const facts = z.record(z.string(), z.unknown());

const common = {
  id: z.string().meta({ description: 'Its chain and its number in it.' }),
  at: z.iso.datetime(),
  type: z.string().meta({ description: 'Of the event, such as `auth.session.started`.' }),
  outcome: z.enum(['done', 'refused']),
  facts: facts.meta({ description: 'What tells nothing of a person but ids.' }),
  personal: facts.nullable().meta({
    description: 'Addresses, names, devices: nothing once their person is erased.',
  }),
  hash: z.string().meta({
    description: 'Of the entry, with the hash of the one before it in it.',
  }),
};

/** An entry, for administrators. */
export const auditRepresentation = z.object({
  ...common,
  eventId: z.string(),
  accountId: z.string().nullable().meta({ description: 'Whom it is about.' }),
  actorType: z.string(),
  actorId: z.string().nullable().meta({ description: 'Who did it.' }),
  correlationId: z.string().meta({ description: 'The request that it goes back to.' }),
  prev: z.string().meta({
    description: 'The hash of the entry before; empty at the first of a chain.',
  }),
});

/** An entry, for whom it is about. */
export const activityRepresentation = z.object({
  ...common,
  by: z.enum(['you', 'somebody-else', 'system']).meta({ description: 'Who did it.' }),
});

const representCommon = ({ _id: { chain, seq }, at, type, outcome, facts: told, personal, hash }: AuditEntry) => ({
  ...{ id: `${chain}:${seq}`, at: at.toISOString(), type, outcome },
  ...{
    facts: { ...told },
    personal: personal === undefined ? null : { ...personal },
    hash,
  },
});

/** @returns what {@link auditRepresentation} describes */
export const representAudit = (entry: AuditEntry): z.output<typeof auditRepresentation> => ({
  ...representCommon(entry),
  ...{
    eventId: entry.eventId,
    accountId: entry.accountId ?? null,
    actorType: entry.actorType,
  },
  ...{
    actorId: entry.actorId ?? null,
    correlationId: entry.correlationId,
    prev: entry.prev,
  },
});

/** Of a change that an administrator has made: who, and what they noted for the record. */
const othersOwn = new Set(['by', 'reason']);

/**
 * @returns what {@link activityRepresentation} describes: who else has done it is nothing that they are told
 */
export const representActivity = (entry: AuditEntry): z.output<typeof activityRepresentation> => {
  const { actorId, accountId } = entry;
  const { facts: told, personal, ...common } = representCommon(entry);
  const isOthers = (name: string): boolean => entry.type === 'auth.account.updated' && othersOwn.has(name);
  const without = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !isOthers(name)));
  const by = actorId === undefined ? 'system' : actorId === accountId ? 'you' : 'somebody-else';
  return { ...common, facts: without(told), personal: personal === null ? null : without(personal), by };
};
