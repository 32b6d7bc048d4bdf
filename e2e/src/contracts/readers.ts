import { accountDeleted, accountUpdated, sessionEnded } from '@causeway/contracts';
import type { Reader } from '@causeway/contracts/released';
import type { Handler } from '@causeway/events';

/** What a service's `app.ts` says of its handlers. */
interface DeclaringModule {
  readonly handlersOf?: (...given: never[]) => readonly Pick<Handler, 'name' | 'on'>[];
}

const modules: Readonly<Record<string, () => Promise<object>>> = {
  auth: () => import('../../../services/auth/src/app.ts'),
  user: () => import('../../../services/user/src/app.ts'),
  data: () => import('../../../services/data/src/app.ts'),
};

/** Whoever verifies tokens follows for itself, beside its handlers, the events by which tokens end: `followRevocations`. */
export const followers = ['gateway', 'user', 'data'] as const;

/** Stands for whatever handlers are given: they are declared here, and none is run. */
const nothing: unknown = new Proxy(() => nothing, { get: () => nothing });

const most = 10;

/**
 * Who reads which events in this repository: the handlers that each service declares in its `app.ts` (`handlersOf`), and what else follows
 * a topic.
 */
export const findReaders = async (): Promise<readonly Reader[]> => {
  const readers: Reader[] = [];
  for (const [service, load] of Object.entries(modules)) {
    const { handlersOf } = (await load()) as DeclaringModule;
    const given = Array.from({ length: most }, () => nothing) as never[];
    for (const { name, on } of handlersOf?.(...given) ?? []) {
      readers.push({ service, reader: name, types: on.map(({ type }) => type) });
    }
  }
  const revoked = { reader: 'revocations', types: [sessionEnded.type, accountUpdated.type, accountDeleted.type] };
  return [...readers, ...followers.map((service) => ({ service, ...revoked }))];
};
