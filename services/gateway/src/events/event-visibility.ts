import type { EventEnvelope } from '@causeway/contracts';
import type { AccessClaims } from '@causeway/service';

/** @returns whether somebody sees everything */
export const isAdministrator = (token: AccessClaims): boolean => token.roles.includes('admin');

/**
 * Whether somebody may see an event: administrators, and the person who caused it. For anybody else it does not exist.
 *
 * @param event - as it was recorded
 * @param token - who asks
 */
export const maySee = (event: EventEnvelope, token: AccessClaims): boolean =>
  isAdministrator(token) || (event.authtype === 'app_user' && event.authid === token.sub);
