import type { FactorDocument, FactorKind } from './factor.model.ts';

/**
 * What somebody may prove who they are with, beside a first proof: what they have, and no recovery codes where all are used.
 *
 * @param factors - the active ones of an account
 * @returns each kind once
 */
export const secondMethodsOf = (factors: readonly Pick<FactorDocument, 'kind' | 'codes'>[]): FactorKind[] => {
  const usable = factors.filter(
    ({ kind, codes = [] }) => kind !== 'recovery-codes' || codes.some(({ usedAt }) => usedAt === undefined),
  );
  return [...new Set(usable.map(({ kind }) => kind))];
};
