import {
  faults,
  services as serviceNames,
  type Fault,
  type FaultOptions,
  type Principal,
  type ServiceName,
} from '@causeway/contracts';

import { ServiceAway, type Question, type ServiceClient } from './service-client.ts';

/** The faults that a service may refuse an administrator's wish with. */
export type KnownFaults = Readonly<
  Record<string, { (options?: FaultOptions): Fault; readonly declaration: { readonly code: string } }>
>;

/** How a service is asked. */
export interface AdministerOptions {
  /** What it is about, for the log: `what is parked`. */
  readonly about: string;
  readonly known: KnownFaults;
}

/** Asks services about what administrators do in them, and passes on what they refuse it with. */
export interface Administration {
  /**
   * @returns undefined where it has nothing of the kind
   * @throws Fault as the service says it; ServiceAway where it does not answer
   */
  ask(service: ServiceName, question: Question): Promise<unknown>;
  /** The same, of what has to be there. @throws Fault `not-found` */
  tell<Result>(service: ServiceName, question: Question): Promise<Result>;
  /** Finds what one of the services has, whichever it is. @throws ServiceAway where none that answered has it, and one did not answer */
  find<Result extends object>(question: Question): Promise<(Result & { readonly service: ServiceName }) | undefined>;
}

/** Who wants it, as a service is told. */
export const principalOf = ({ type, id }: Principal): Principal => ({ type, ...(id !== undefined && { id }) });

/** Makes the way to what administrators do of one kind. */
export const administration = (client: ServiceClient, { about, known }: AdministerOptions): Administration => {
  const byCode = new Map(Object.values(known).map((make) => [make.declaration.code, make]));

  const ask: Administration['ask'] = async (service, question) => {
    const { status, json } = await client.ask(service, question);
    if (status < 300) return json;
    if (status === 404) return undefined;
    const { code, detail } = (json ?? {}) as { readonly code?: unknown; readonly detail?: unknown };
    const make = byCode.get(String(code));
    if (make !== undefined) throw make(typeof detail === 'string' ? { detail } : {});
    throw new ServiceAway(service, `answered ${status} about ${about}`);
  };

  return {
    ask,
    async tell<Result>(service: ServiceName, question: Question) {
      const answer = await ask(service, question);
      if (answer === undefined) throw faults.notFound();
      return answer as Result;
    },
    async find<Result extends object>(question: Question) {
      const answers = await Promise.allSettled(serviceNames.map((service) => ask(service, question)));
      let away: unknown;
      for (const [index, answer] of answers.entries()) {
        const service = serviceNames[index];
        if (answer.status === 'rejected') away = answer.reason;
        else if (answer.value !== undefined && service !== undefined) return { service, ...(answer.value as Result) };
      }
      if (away !== undefined) throw away as Error;
      return undefined;
    },
  };
};
