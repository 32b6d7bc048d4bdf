import { budgetNames, budgetsOf, windowsOf } from './counters.ts';
import type { BudgetName, Guesser, Place, Taking } from './counters.ts';
import { delayOf, isFull, longestDelayMs, memoryOf } from './guess-rules.ts';
import type { GuessRules } from './guess-rules.ts';
import { forgive, heldBy, heldOf, noPlaces, returnPlace, takePlace } from './places.ts';
import type { Places } from './places.ts';

/** What is told of a budget. */
export interface SeenPlaces extends Places {
  /** Milliseconds until the next place. */
  readonly waitMs: number;
  /** Milliseconds until it is forgotten. */
  readonly keptMs: number;
}

/** What is told of a window. */
export interface SeenWindow {
  /** Names the window: a place is given back to the one that it was taken in. */
  readonly id: number;
  readonly count: number;
  /** Milliseconds until it ends. */
  readonly restMs: number;
}

/** Counts of this process. They hold by themselves where nobody else counts, and remember what others have told. */
export interface LocalCounters {
  take(guesser: Guesser): Taking;
  clear(place: Place): void;
  giveBack(place: Place): void;
  clearAccount(account: string): void;
  /** What is known of a budget; undefined where that is nothing. */
  seenPlaces(budget: BudgetName, account: string): SeenPlaces | undefined;
  seenWindow(window: 'block' | 'overall', guesser: Guesser): SeenWindow | undefined;
  /** Takes in what others have told: the later of the two tellings stays. */
  learnPlaces(budget: BudgetName, account: string, told: SeenPlaces): void;
  learnWindow(window: 'block' | 'overall', guesser: Guesser, told: SeenWindow): void;
}

/** What {@link createLocalCounters} is given. */
export interface LocalCountersOptions {
  readonly rules: GuessRules;
  /** Milliseconds on a clock that does not jump. */
  readonly now?: () => number;
  /** Most budgets, and most windows, that are counted; beyond, the one that was used longest ago is forgotten. */
  readonly mostKeys?: number;
}

interface Count {
  readonly places: Places;
  readonly opensAt: number;
  readonly forgottenAt: number;
}

interface Window {
  readonly id: number;
  readonly count: number;
  readonly endsAt: number;
}

/** Sets an entry as the one that was used last; of too many the one that was used longest ago is forgotten. */
export const remember = <Value>(map: Map<string, Value>, key: string, value: Value, most: number): void => {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
};

/** Makes them. */
export function createLocalCounters(options: LocalCountersOptions): LocalCounters {
  const { rules, now = () => performance.now(), mostKeys = 100_000 } = options;
  const counts = new Map<string, Count>();
  const windows = new Map<string, Window>();

  const countOf = (key: string): Count => {
    const count = counts.get(key);
    return count !== undefined && count.forgottenAt > now() ? count : { places: noPlaces, opensAt: 0, forgottenAt: 0 };
  };

  const keep = (budget: BudgetName, account: string, places: Places, opensAt: number): void => {
    const { forgottenAt } = countOf(`${budget}/${account}`);
    const until = Math.max(forgottenAt, now() + memoryOf(heldOf(places)));
    remember(counts, `${budget}/${account}`, { places, opensAt, forgottenAt: until }, mostKeys);
  };

  /** Forgives, and shortens the pause to what is still held. */
  const change = (budget: BudgetName, account: string, next: (places: Places) => Places): void => {
    const { places, opensAt } = countOf(`${budget}/${account}`);
    // Mostly one budget is used, and the others take no room.
    if (places.taken === 0) return;
    const changed = next(places);
    keep(budget, account, changed, Math.min(opensAt, now() + delayOf(rules[budget], heldOf(changed))));
  };

  const clearUpTo = (budget: BudgetName, account: string, number: number): void =>
    change(budget, account, (places) => forgive(places, number));

  const windowKey = (window: 'block' | 'overall', { block = '' }: Guesser): string =>
    window === 'overall' ? window : `block/${block}`;

  const windowOf = (window: 'block' | 'overall', guesser: Guesser): Window => {
    const current = windows.get(windowKey(window, guesser));
    if (current !== undefined && current.endsAt > now()) return current;
    const endsAt = now() + rules[window].windowMs;
    return { id: -endsAt, count: 0, endsAt };
  };

  const clear = ({ guesser, number, others, windows: counted }: Place): void => {
    const [own, ...rest] = budgetsOf(guesser);
    clearUpTo(own, guesser.account, number);
    for (const [index, other] of rest.entries()) clearUpTo(other, guesser.account, others[index] ?? 0);
    leaveWindows(guesser, counted);
  };

  const leaveWindows = (guesser: Guesser, counted: Place['windows']): void => {
    for (const name of windowsOf(guesser)) {
      const window = windowOf(name, guesser);
      if (window.id !== counted[name]) continue;
      remember(windows, windowKey(name, guesser), { ...window, count: Math.max(0, window.count - 1) }, mostKeys);
    }
  };

  return {
    take(guesser) {
      const [own, ...rest] = budgetsOf(guesser);
      const { account, device } = guesser;
      const { places, opensAt } = countOf(`${own}/${account}`);
      const held = heldOf(places);
      if (isFull(rules[own], held, device === undefined ? undefined : heldBy(places, device)))
        return { refusal: 'locked', waitMs: longestDelayMs };
      if (opensAt > now()) return { refusal: 'delayed', waitMs: opensAt - now() };
      const open = windowsOf(guesser).map((name) => ({ name, window: windowOf(name, guesser) }));
      const full = open.find(({ name, window }) => window.count >= rules[name].places);
      if (full !== undefined) return { refusal: full.name, waitMs: full.window.endsAt - now() };

      const next = takePlace(places, device);
      keep(own, account, next, now() + delayOf(rules[own], held + 1));
      for (const { name, window } of open) {
        remember(windows, windowKey(name, guesser), { ...window, count: window.count + 1 }, mostKeys);
      }
      const ids = Object.fromEntries(open.map(({ name, window }) => [name, window.id]));
      const others = rest.map((other) => countOf(`${other}/${account}`).places);
      const hadOthers = held > 0 || others.some((other) => heldOf(other) > 0);
      const taken = others.map((other) => other.taken);
      return { place: { guesser, number: next.taken, others: taken, hadOthers, windows: ids } };
    },
    clear,
    giveBack({ guesser, number, windows: counted }) {
      const [own] = budgetsOf(guesser);
      change(own, guesser.account, (places) => returnPlace(places, number, guesser.device));
      leaveWindows(guesser, counted);
    },
    clearAccount(account) {
      for (const budget of budgetNames) clearUpTo(budget, account, Infinity);
    },
    seenPlaces(budget, account) {
      const { places, opensAt, forgottenAt } = countOf(`${budget}/${account}`);
      if (places.taken === 0) return undefined;
      return { ...places, waitMs: Math.max(0, opensAt - now()), keptMs: forgottenAt - now() };
    },
    seenWindow(name, guesser) {
      const { id, count, endsAt } = windowOf(name, guesser);
      return count === 0 ? undefined : { id, count, restMs: endsAt - now() };
    },
    learnPlaces(budget, account, { waitMs, keptMs, ...places }) {
      if (places.taken < countOf(`${budget}/${account}`).places.taken) return;
      const told = { places, opensAt: now() + waitMs, forgottenAt: now() + keptMs };
      remember(counts, `${budget}/${account}`, told, mostKeys);
    },
    learnWindow(name, guesser, { id, count, restMs }) {
      remember(windows, windowKey(name, guesser), { id, count, endsAt: now() + restMs }, mostKeys);
    },
  };
}
