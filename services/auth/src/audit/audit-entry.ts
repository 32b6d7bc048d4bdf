import { createHash, createHmac, randomBytes } from 'node:crypto';

import type { EventData, EventEnvelope, Principal } from '@causeway/contracts';
import { canonicalJson } from '@causeway/events';

import { auditedByType } from './audited-events.ts';

/** Where an entry stands: the chains are one a slot of the events, and each counts from 1 without a hole. */
export interface AuditPlace {
  readonly chain: number;
  readonly seq: number;
}

/** What an act was, before it has its place. */
export interface AuditedAct {
  /** When it was recorded. */
  readonly at: Date;
  /** The event's type. */
  readonly type: string;
  readonly eventId: string;
  /** Whom it is about. */
  readonly accountId?: string;
  readonly actorType: Principal['type'];
  readonly actorId?: string;
  /** `refused`: somebody was kept from something. */
  readonly outcome: 'done' | 'refused';
  readonly correlationId: string;
  /** What tells nothing of a person but ids. */
  readonly facts: EventData;
  /** Addresses, names, devices: gone once the person is erased. */
  readonly personal?: EventData;
}

/** An entry of the audit. It is never changed, but that an erasure takes out `personal` and `salt`. */
export interface AuditEntry extends AuditedAct {
  readonly _id: AuditPlace;
  /** 32 random bytes in base64url. */
  readonly salt?: string;
  /** What stands for `personal` in the hash, and says nothing about it once the salt is gone. */
  readonly commitment?: string;
  /** The hash of the entry before; empty at the first. */
  readonly prev: string;
  /** Of all of it, in base64url. */
  readonly hash: string;
}

/** Into the hash goes how it is made, so that another way would be told from a forgery. */
const form = 'causeway-audit-1';

const saltBytes = 32;

const only = (data: EventData, keeps: (name: string) => boolean): EventData =>
  Object.fromEntries(Object.entries(data).filter(([name, value]) => value !== undefined && keeps(name)));

/**
 * What an event comes to in the audit.
 *
 * @param event - of a type that is audited, in its newest version
 * @throws TypeError for another type
 */
export const actOf = (event: EventEnvelope): AuditedAct => {
  const audited = auditedByType.get(event.type);
  if (audited === undefined) throw new TypeError(`${event.type} is not audited`);
  const { facts, leftOut = [], ofNobody, isRefusal } = audited;
  const data = event.data as EventData;
  const { accountId } = data as { readonly accountId?: string };
  const instead = accountId === undefined ? ofNobody?.(data) : undefined;
  const isPersonal = (name: string): boolean => !facts.includes(name) && !leftOut.includes(name);
  const personal = instead === undefined ? only(data, isPersonal) : {};
  return {
    ...{ at: new Date(event.time), type: event.type, eventId: event.id },
    ...(accountId !== undefined && { accountId }),
    actorType: event.authtype,
    ...(event.authid !== undefined && { actorId: event.authid }),
    outcome: isRefusal?.(data) === true ? 'refused' : 'done',
    correlationId: event.correlationid,
    facts: { ...only(data, (name) => facts.includes(name)), ...instead },
    ...(Object.keys(personal).length > 0 && { personal }),
  };
};

/**
 * What stands for what is personal: HMAC-SHA-256 under the salt. Without a salt, whoever wants to know could try all addresses there are.
 *
 * @param salt - in base64url
 */
export const commitmentOf = (personal: EventData, salt: string): string =>
  createHmac('sha256', Buffer.from(salt, 'base64url')).update(canonicalJson(personal)).digest('base64url');

/** SHA-256 over all of an entry but what an erasure may take, in a form that is the same for the same content. */
export const hashOf = (entry: Omit<AuditEntry, 'hash' | 'personal' | 'salt'>): string => {
  const { _id, prev, at, type, eventId, accountId, actorType, actorId, outcome, correlationId, facts, commitment } =
    entry;
  const content = [
    ...[form, _id.chain, _id.seq, prev],
    ...[at.toISOString(), type, eventId, accountId ?? null, actorType, actorId ?? null, outcome, correlationId],
    ...[facts, commitment ?? null],
  ];
  return createHash('sha256').update(canonicalJson(content)).digest('base64url');
};

/**
 * Puts an act at its place.
 *
 * @param prev - the hash of the entry before
 * @param salt - random but in tests; in base64url
 */
export const entryOf = (
  act: AuditedAct,
  _id: AuditPlace,
  prev: string,
  salt = randomBytes(saltBytes).toString('base64url'),
): AuditEntry => {
  const { personal } = act;
  const hidden = personal === undefined ? {} : { salt, commitment: commitmentOf(personal, salt) };
  const entry = { _id, ...act, ...hidden, prev };
  return { ...entry, hash: hashOf(entry) };
};

/** What is left of an act when its person is erased before it gets here. */
export const withoutPerson = ({ personal: _personal, ...act }: AuditedAct): AuditedAct => act;
