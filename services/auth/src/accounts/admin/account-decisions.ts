import { stateOf } from '@causeway/events';
import type { Decision } from '@causeway/events';

import { raiseAccessVersion } from '../access-version.ts';
import type { AccountDocument, Role } from '../account.model.ts';
import { updated } from '../accounts.events.ts';

/** What an administrator decides about an account, given how it is and when; undefined where it is so already. */
export type AccountDecision = (current: AccountDocument, at: Date) => Decision<AccountDocument> | undefined;

/** Whether somebody administers the platform by an account. */
export const administers = ({ roles, disabledAt }: Pick<AccountDocument, 'roles' | 'disabledAt'>): boolean =>
  roles.includes('admin') && disabledAt === undefined;

/**
 * Nobody can sign in to it any more, and nobody is.
 *
 * @param by - the administrator's account
 * @param reason - in their words, for the record
 */
export const disabling =
  (by: string, reason: string | undefined): AccountDecision =>
  (current, at) => {
    if (current.disabledAt !== undefined) return undefined;
    const raised = raiseAccessVersion(current, 'sessions', at);
    const more = { ...raised, disabled: true, reason, by };
    return {
      state: { ...stateOf(current), ...raised, disabledAt: at, disabledBy: by },
      event: updated(current, ['disabled'], more),
    };
  };

/** Its owner can sign in again; what had ended stays so. */
export const enabling =
  (by: string): AccountDecision =>
  (current) => {
    const { disabledAt, disabledBy: _by, ...state } = stateOf(current);
    if (disabledAt === undefined) return undefined;
    return { state, event: updated(current, ['disabled'], { disabled: false, by }) };
  };

/** Tokens that say more than it may do by now are over; who may do more has it in the next one. */
export const givingRoles =
  (by: string, roles: readonly Role[]): AccountDecision =>
  (current, at) => {
    const isLost = current.roles.some((role) => !roles.includes(role));
    if (!isLost && roles.every((role) => current.roles.includes(role))) return undefined;
    const raised = isLost ? raiseAccessVersion(current, 'tokens', at) : {};
    const state = { ...stateOf(current), ...raised, roles };
    return { state, event: updated({ ...current, roles }, ['roles'], { ...raised, by }) };
  };

/** It has no second factor any more, and whoever got in with one is out. */
export const removingFactors =
  (by: string): AccountDecision =>
  (current, at) => {
    const raised = raiseAccessVersion(current, 'sessions', at);
    return {
      state: { ...stateOf(current), ...raised, hasSecondFactor: false },
      event: updated(current, ['factors'], { ...raised, by }),
    };
  };

/** All of its sessions are over, one that begins in the same moment too. */
export const endingSessions =
  (by: string): AccountDecision =>
  (current, at) => {
    const raised = raiseAccessVersion(current, 'sessions', at);
    return {
      state: { ...stateOf(current), ...raised },
      event: updated(current, ['sessions'], { ...raised, by }),
    };
  };
