import { createAskRedis } from './ask-redis.ts';
import type { AskRedisOptions } from './ask-redis.ts';
import { settleScript, takeScript } from './counter-scripts.ts';
import type { SettleQuestion, TakeReply } from './counter-scripts.ts';
import { budgetsOf, windowsOf } from './counters.ts';
import type { GuessCounters, Guesser, Place, Taking } from './counters.ts';
import { heldOf, longestDelayMs, memoryOf } from './guess-rules.ts';
import type { GuessRules } from './guess-rules.ts';
import type { LocalCounters } from './local-counters.ts';

/** What {@link createRedisCounters} is given. */
export interface RedisCountersOptions extends Omit<AskRedisOptions, 'what'> {
  /** Before the keys. */
  readonly prefix: string;
  readonly rules: GuessRules;
  /** Counts where Redis does not, and remembers what Redis has told. */
  readonly local: LocalCounters;
}

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
    const [own, other] = budgetsOf(guesser);
    const { account } = guesser;
    const windows = windowsOf(guesser).map((name) => {
      const seen = local.seenWindow(name, guesser);
      // One that began here has a name that Redis does not know.
      return { ...rules[name], seen: seen !== undefined && seen.id > 0 ? seen : undefined };
    });
    const seen = { own: local.seenPlaces(own, account), other: local.seenPlaces(other, account) };
    return { rules: rules[own], lockedMs: longestDelayMs, memoryMs, seen, windows };
  };

  const learn = (guesser: Guesser, reply: TakeReply): void => {
    const [own, other] = budgetsOf(guesser);
    if (reply.own.taken > 0) local.learnPlaces(own, guesser.account, reply.own);
    if (reply.other.taken > 0) local.learnPlaces(other, guesser.account, reply.other);
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
    const hadOthers = heldOf(reply.own) > 1 || heldOf(reply.other) > 0;
    return { place: { guesser, number: reply.own.taken, others: reply.other.taken, hadOthers, windows } };
  };

  const settle = async (guesser: Guesser, asked: Pick<SettleQuestion, 'clear' | 'giveBack'>, windows: number[]) => {
    const [own, other] = budgetsOf(guesser);
    const both = [rules[own], rules[other]] as const;
    const full = { ...asked, rules: both, windows, memoryMs: memoryOf(1) };
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
      await settle(place.guesser, { clear: [place.number, place.others], giveBack: 0 }, windowIds(place));
    },
    async giveBack(place) {
      local.giveBack(place);
      await settle(place.guesser, { clear: [0, 0], giveBack: place.number }, windowIds(place));
    },
    async clearAccount(account) {
      local.clearAccount(account);
      await settle({ account, isKnown: true }, { clear: [-1, -1], giveBack: 0 }, []);
    },
  };
}
