import { valueAt } from '../fields/value-at.ts';
import type { Expansion } from './expansion.ts';
import { expandLimits, expandName } from './expansion.ts';
import type { Expanded, Referring } from './read-expanded.ts';
import { tooLongExpanded } from './read-expanded.ts';

/** Puts beside a record, as it is answered, those that it refers to. */
export type ShowExpanded = (row: Referring, text: string) => string;

/** Counts characters up to as many as one answer may have. */
function createSpend(): (text: string) => string {
  let length = 0;
  return (text) => {
    length += text.length;
    if (length > expandLimits.length) throw tooLongExpanded();
    return text;
  };
}

/**
 * Makes what shows the records of one answer. What many name is put into words once, and counts as often as it is shown: nothing longer than
 * an answer is ever put together, whatever refers to what.
 *
 * @returns it throws Fault `query-too-costly`
 */
export function createShowExpanded(expansions: readonly Expansion[], expanded: Expanded): ShowExpanded {
  const spend = createSpend();
  const shown = new Map<Expansion, Map<string, string | undefined>>();
  /** Of each expansion: all that is put into words is shown at least once. */
  const spends = new Map<Expansion, ReturnType<typeof createSpend>>();

  const recordOf = (expansion: Expansion, id: string): string | undefined => {
    const own = shown.get(expansion) ?? new Map<string, string | undefined>();
    shown.set(expansion, own);
    if (own.has(id)) return own.get(id);
    const found = expanded.get(expansion, id);
    const ownSpend = spends.get(expansion) ?? createSpend();
    spends.set(expansion, ownSpend);
    const text = found && ownSpend(withExpanded(found.text, expansion.inner, found.row));
    own.set(id, text);
    return text;
  };

  const valueOf = (expansion: Expansion, { fields }: Referring): string => {
    const value = valueAt(fields, expansion.segments);
    if (typeof value === 'string') return recordOf(expansion, value) ?? 'null';
    if (!Array.isArray(value)) return 'null';
    const spendHere = createSpend();
    const records = value.flatMap((id: unknown) => {
      const text = typeof id === 'string' ? recordOf(expansion, id) : undefined;
      return text === undefined ? [] : [spendHere(text)];
    });
    return `[${records.join(',')}]`;
  };

  const membersOf = (own: readonly Expansion[], row: Referring): string => {
    const spendHere = createSpend();
    return own.map((expansion) => `${JSON.stringify(expansion.name)}:${spendHere(valueOf(expansion, row))}`).join(',');
  };

  /** What is answered always has an id, so that something stands before it. */
  const withExpanded = (text: string, own: readonly Expansion[], row: Referring): string =>
    own.length === 0 ? text : `${text.slice(0, -1)},"${expandName}":{${membersOf(own, row)}}}`;

  return (row, text) => {
    const whole = withExpanded(text, expansions, row);
    spend(whole.slice(text.length));
    return whole;
  };
}
