import { createAskRedis } from './ask-redis.ts';
import type { AskRedisOptions } from './ask-redis.ts';
import { settleScript, takeScript } from './counter-scripts.ts';
import type { SettleQuestion, TakeReply } from './counter-scripts.ts';
import { budgetNames, budgetsOf, windowsOf } from './counters.ts';
import type { GuessCounters, Guesser, Place, Taking } from './counters.ts';
import { longestDelayMs, memoryOf } from './guess-rules.ts';
import type { GuessRules } from './guess-rules.ts';
import type { LocalCounters } from './local-counters.ts';
import { heldOf, noPlaces } from './places.ts';

/** What {@link createRedisCounters} is given. */
export interface RedisCountersOptions extends Omit<AskRedisOptions, 'what'> {
  /** Before the keys. */
  readonly prefix: string;
  readonly rules: GuessRules;
  /** Counts where Redis does not, and remembers what Redis has told. */
  readonly local: LocalCounters;
}

const nothingSeen = { ...noPlaces, waitMs: 0, keptMs: 0 };

/** By how many places are held. */
const memoryMs = Array.from({ length: 30 }, (_, index) => memoryOf(index + 1));

/**
 * Counts in Redis, for all replicas: whoever asks is answered by one script, so that of any number at once no more get a place than there
 * are. Where Redis is away or has lost what it knew, what this process has seen holds.
 */
export function createRedisCounters(options: RedisCountersOptions): GuessCounters {
  const { prefix, rules, local } = options;
  const ask = createAskRedis({ ...options, what: 'guesses' });

  // The braces keep all keys in one slot of a cluster: a script may touch no other.
  const budgetKeys = (guesser: Guesser): string[] =>
    budgetsOf(guesser).map((budget) => `${prefix}:{guesses}:${budget}:${guesser.account}`);
  const keysOf = (guesser: Guesser): string[] => [
    ...budgetKeys(guesser),
    ...windowsOf(guesser).map((name) =>
      name === 'overall' ? `${prefix}:{guesses}:overall` : `${prefix}:{guesses}:block:${guesser.block ?? ''}`,
    ),
  ];

  const question = (guesser: Guesser) => {
    const [own, ...others] = budgetsOf(guesser);
    const { account, device } = guesser;
    const windows = windowsOf(guesser).map((name) => {
      const seen = local.seenWindow(name, guesser);
      // One that began here has a name that Redis does not know.
      return { ...rules[name], seen: seen !== undefined && seen.id > 0 ? seen : undefined };
    });
    // A list with gaps is none to Lua.
    const seen = [own, ...others].map((name) => local.seenPlaces(name, account) ?? nothingSeen);
    return { rules: rules[own], device, lockedMs: longestDelayMs, memoryMs, seen, windows };
  };

  const learn = (guesser: Guesser, reply: TakeReply): void => {
    for (const [index, name] of budgetsOf(guesser).entries()) {
      const told = reply.budgets[index];
      if (told !== undefined && told.taken > 0) local.learnPlaces(name, guesser.account, told);
    }
    for (const [index, name] of windowsOf(guesser).entries()) {
      const window = reply.windows[index];
      if (window !== undefined) local.learnWindow(name, guesser, window);
    }
  };

  const takingOf = (guesser: Guesser, reply: TakeReply): Taking => {
    const names = windowsOf(guesser);
    const { refused, waitMs } = reply;
    if (refused === 'locked' || refused === 'delayed') return { refusal: refused, waitMs };
    if (refused !== '') return { refusal: names[refused === 'window1' ? 0 : 1] ?? 'overall', waitMs };
    const windows = Object.fromEntries(names.map((name, index) => [name, reply.windows[index]?.id]));
    const [own = nothingSeen, ...others] = reply.budgets;
    const hadOthers = heldOf(own) > 1 || others.some((other) => heldOf(other) > 0);
    return { place: { guesser, number: own.taken, others: others.map(({ taken }) => taken), hadOthers, windows } };
  };

  const settle = async (guesser: Guesser, asked: Pick<SettleQuestion, 'clear' | 'giveBack'>, windows: number[]) => {
    const own = budgetsOf(guesser).map((name) => rules[name]);
    const full = { ...asked, device: guesser.device, rules: own, windows, memoryMs: memoryOf(1) };
    await ask((connection) => settleScript.run(connection, keysOf(guesser), full));
  };

  const windowIds = ({ guesser, windows }: Place): number[] => windowsOf(guesser).map((name) => windows[name] ?? 0);

  return {
    async take(guesser) {
      const reply = await ask((connection) => takeScript.run(connection, keysOf(guesser), question(guesser)));
      if (reply === undefined) return local.take(guesser);
      learn(guesser, reply);
      return takingOf(guesser, reply);
    },
    async clear(place) {
      local.clear(place);
      await settle(place.guesser, { clear: [place.number, ...place.others], giveBack: 0 }, windowIds(place));
    },
    async giveBack(place) {
      local.giveBack(place);
      await settle(place.guesser, { clear: budgetNames.map(() => 0), giveBack: place.number }, windowIds(place));
    },
    async clearAccount(account) {
      local.clearAccount(account);
      await settle({ account, budget: 'known' }, { clear: budgetNames.map(() => -1), giveBack: 0 }, []);
    },
  };
}
