import type { RecentAuthentication } from '@causeway/service';

/**
 * What calls ask for that could do somebody harm.
 *
 * @param config - how long ago may be
 * @returns `recent`: with the second factor, where there is one; `surely`: with two in any case, so that whoever has one proof alone does not
 *   take the other away
 */
export const stepUpRules = ({ stepUpAgeMs: maxAgeMs }: { readonly stepUpAgeMs: number }) =>
  ({
    recent: { maxAgeMs, acr: 'enrolled' },
    surely: { maxAgeMs, acr: 'aal2' },
  }) as const satisfies Record<string, RecentAuthentication>;
