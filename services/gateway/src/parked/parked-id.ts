import { services as serviceNames, type ServiceName } from '@causeway/contracts';
import { z } from 'zod';

/** Names an event that is parked at a handler of a service. */
export interface ParkedId {
  readonly service: ServiceName;
  readonly handler: string;
  readonly eventId: string;
}

/** As long as a service takes them. */
const part = z.string().min(1).max(500);
const shape = z.tuple([z.enum(serviceNames), part, part]);

/** @returns the id by which clients name a parked event */
export const formatParkedId = ({ service, handler, eventId }: ParkedId): string =>
  Buffer.from(JSON.stringify([service, handler, eventId])).toString('base64url');

/** @returns undefined where it is none of ours */
export const parseParkedId = (id: string): ParkedId | undefined => {
  try {
    const [service, handler, eventId] = shape.parse(JSON.parse(Buffer.from(id, 'base64url').toString('utf8')));
    return { service, handler, eventId };
  } catch {
    return undefined;
  }
};
