import { createHash } from 'node:crypto';

import type { Redis } from 'ioredis';
import { z } from 'zod';

import { budgetNames } from './counters.ts';
import type { BudgetRules, WindowRules } from './guess-rules.ts';
import type { SeenPlaces, SeenWindow } from './local-counters.ts';

/** A Lua script over several keys, which takes and gives JSON. */
export interface CounterScript<Question, Reply> {
  /** @throws where Redis does not answer, or not in the form of the reply */
  run(redis: Redis, keys: readonly string[], question: Question): Promise<Reply>;
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

const counterScript = <Question, Reply>(lua: string, reply: z.ZodType<Reply>): CounterScript<Question, Reply> => {
  const sha = createHash('sha1').update(lua).digest('hex');
  return {
    async run(redis, keys, question) {
      const args = [...keys, JSON.stringify(question)];
      const answer = await redis.evalsha(sha, keys.length, ...args).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return redis.eval(lua, keys.length, ...args);
      });
      return reply.parse(JSON.parse(String(answer)));
    },
  };
};

/**
 * A budget is a hash: t taken, c cleared, g given back, o when the next place is to be had, d which of them each device holds, as JSON. A
 * window is a hash: n its count, e its end, which is its name. Times are Redis's own.
 */
const common = `
local q = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function held(p) return math.max(0, p.t - p.c - p.g) end
local function delay(rule, p)
  local n = held(p)
  if n == 0 then return 0 end
  return rule.delaysMs[math.min(n, #rule.delaysMs)]
end
local function left(devices, cleared)
  local all = {}
  for device, numbers in pairs(devices) do
    local own = {}
    for _, number in ipairs(numbers) do if number > cleared then own[#own + 1] = number end end
    if #own > 0 then all[device] = own end
  end
  return all
end
local function places(key)
  local h = redis.call('HMGET', key, 't', 'c', 'g', 'o', 'd')
  local devices = h[5] and cjson.decode(h[5]) or {}
  return { t = tonumber(h[1]) or 0, c = tonumber(h[2]) or 0, g = tonumber(h[3]) or 0, o = tonumber(h[4]) or 0, d = devices }
end
local function keep(key, p, memoryMs)
  redis.call('HSET', key, 't', p.t, 'c', p.c, 'g', p.g, 'o', p.o, 'd', cjson.encode(left(p.d, p.c)))
  if redis.call('PTTL', key) < memoryMs then redis.call('PEXPIRE', key, memoryMs) end
end
local function leave(keys, windows)
  for index, id in ipairs(windows) do
    local h = redis.call('HMGET', keys[index], 'n', 'e')
    if tonumber(h[2]) == id and tonumber(h[1]) > 0 then redis.call('HINCRBY', keys[index], 'n', -1) end
  end
end
`;

const places = z.object({
  taken: z.int(),
  cleared: z.int(),
  givenBack: z.int(),
  devices: z.record(z.string(), z.array(z.int())),
  waitMs: z.number(),
  keptMs: z.number(),
});
const window = z.object({ id: z.int(), count: z.int(), restMs: z.number() });

/** How many budgets an account has. Their keys come first, the own one before the others. */
const budgets = budgetNames.length;

/** What {@link takeScript} is asked. Keys: the budgets, and one for each window. */
export interface TakeQuestion {
  /** Of the own budget. */
  readonly rules: BudgetRules;
  /** By which a place of it is taken, where devices are counted apart. */
  readonly device?: string | undefined;
  readonly lockedMs: number;
  /** Of the own budget, by how many places are held. */
  readonly memoryMs: readonly number[];
  /** Of each budget. */
  readonly seen: readonly SeenPlaces[];
  readonly windows: readonly (WindowRules & { readonly seen?: SeenWindow | undefined })[];
}

/**
 * Takes a place of all, or of none. A Redis that knows less than whoever asks has lost what it knew, and is told.
 */
export const takeScript: CounterScript<TakeQuestion, TakeReply> = counterScript(
  `${common}
local function later(key, seen)
  local p = places(key)
  if seen.taken > p.t then
    p = {
      t = seen.taken, c = seen.cleared, g = seen.givenBack, d = seen.devices,
      o = now + math.ceil(seen.waitMs), kept = math.ceil(seen.keptMs)
    }
  end
  return p
end
local function tell(key, p)
  return {
    taken = p.t, cleared = p.c, givenBack = p.g, devices = left(p.d, p.c),
    waitMs = math.max(0, p.o - now), keptMs = math.max(redis.call('PTTL', key), 0)
  }
end
local all = {}
for index = 1, ${budgets} do all[index] = later(KEYS[index], q.seen[index]) end
local own = all[1]
local mine = q.device and left(own.d, own.c)[q.device] or {}
local reply = { refused = '', waitMs = 0, budgets = {}, windows = {} }
local windows = {}
local reserve = q.rules.reserve
if held(own) >= q.rules.places or (q.rules.perDevice and #mine >= q.rules.perDevice)
  or (reserve and held(own) >= q.rules.places - reserve.places and #mine >= reserve.upTo) then
  reply.refused, reply.waitMs = 'locked', q.lockedMs
elseif own.o > now then
  reply.refused, reply.waitMs = 'delayed', own.o - now
end
for index, rule in ipairs(q.windows) do
  local h = redis.call('HMGET', KEYS[${budgets} + index], 'n', 'e')
  local w = { n = tonumber(h[1]) or 0, e = tonumber(h[2]) or 0 }
  if w.e <= now and rule.seen and rule.seen.id > now then w = { n = rule.seen.count, e = rule.seen.id } end
  if w.e <= now then w = { n = 0, e = now + rule.windowMs } end
  if reply.refused == '' and w.n >= rule.places then
    reply.refused, reply.waitMs = 'window' .. index, w.e - now
  end
  windows[index] = w
end
if reply.refused == '' then
  own.t = own.t + 1
  if q.device then
    mine[#mine + 1] = own.t
    own.d[q.device] = mine
  end
  own.o = now + delay(q.rules, own)
  own.kept = math.max(q.memoryMs[math.min(math.max(held(own), 1), #q.memoryMs)], own.kept or 0)
  for index, w in ipairs(windows) do
    w.n = w.n + 1
    redis.call('HSET', KEYS[${budgets} + index], 'n', w.n, 'e', w.e)
    redis.call('PEXPIRE', KEYS[${budgets} + index], w.e - now)
  end
end
for index, p in ipairs(all) do
  if p.kept then keep(KEYS[index], p, p.kept) end
  reply.budgets[index] = tell(KEYS[index], p)
end
for index, w in ipairs(windows) do reply.windows[index] = { id = w.e, count = w.n, restMs = w.e - now } end
return cjson.encode(reply)`,
  z.object({
    refused: z.enum(['', 'locked', 'delayed', 'window1', 'window2']),
    waitMs: z.number(),
    budgets: z.array(places),
    // An empty list is an object to Lua's JSON.
    windows: z.union([z.array(window), z.object({}).transform(() => [])]),
  }),
);

/** What {@link takeScript} answers. */
export interface TakeReply {
  readonly refused: '' | 'locked' | 'delayed' | 'window1' | 'window2';
  readonly waitMs: number;
  /** In the order of the keys. */
  readonly budgets: readonly SeenPlaces[];
  readonly windows: readonly SeenWindow[];
}

/** What {@link windowScript} is asked. Key: the window. */
export interface WindowQuestion extends WindowRules {
  readonly seen?: SeenWindow | undefined;
}

/** Takes a place of one window alone. */
export const windowScript: CounterScript<WindowQuestion, SeenWindow & { readonly taken: boolean }> = counterScript(
  `${common}
local h = redis.call('HMGET', KEYS[1], 'n', 'e')
local w = { n = tonumber(h[1]) or 0, e = tonumber(h[2]) or 0 }
if w.e <= now and q.seen and q.seen.id > now then w = { n = q.seen.count, e = q.seen.id } end
if w.e <= now then w = { n = 0, e = now + q.windowMs } end
local taken = w.n < q.places
if taken then w.n = w.n + 1 end
redis.call('HSET', KEYS[1], 'n', w.n, 'e', w.e)
redis.call('PEXPIRE', KEYS[1], w.e - now)
return cjson.encode({ taken = taken, id = w.e, count = w.n, restMs = w.e - now })`,
  window.extend({ taken: z.boolean() }),
);

/** What {@link settleScript} is asked. Keys: the budgets, and one for each window. */
export interface SettleQuestion {
  /** Up to which place each budget is forgiven, -1 for all; 0 leaves it. */
  readonly clear: readonly number[];
  /** The place of the own budget that is given back; 0 for none. */
  readonly giveBack: number;
  /** That had taken it, where devices are counted apart. */
  readonly device?: string | undefined;
  /** Of each budget. */
  readonly rules: readonly BudgetRules[];
  /** Those that a place was taken in. */
  readonly windows: readonly number[];
  readonly memoryMs: number;
}

/** Forgives, or gives a place back, and shortens the pause to what is still held. */
export const settleScript: CounterScript<SettleQuestion, unknown> = counterScript(
  `${common}
for index = 1, ${budgets} do
  local p = places(KEYS[index])
  local upTo = q.clear[index]
  if upTo < 0 or upTo > p.t then upTo = p.t end
  local changed = false
  if upTo > p.c then
    p.c, p.g, changed = upTo, 0, true
  end
  if index == 1 and q.giveBack > p.c then
    p.g, changed = p.g + 1, true
    local others = {}
    for _, number in ipairs(q.device and p.d[q.device] or {}) do
      if number ~= q.giveBack then others[#others + 1] = number end
    end
    if q.device then p.d[q.device] = others end
  end
  if changed then
    p.o = math.min(p.o, now + delay(q.rules[index], p))
    keep(KEYS[index], p, q.memoryMs)
  end
end
leave({ unpack(KEYS, ${budgets} + 1) }, q.windows)
return '0'`,
  z.unknown(),
);
