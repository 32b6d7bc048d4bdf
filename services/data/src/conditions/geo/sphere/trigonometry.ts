/**
 * Sines and their like, rounded as correctly as the C libraries that databases use have them: within a part in a thousand of all cases
 * the nearest number, where `Math.sin` is off in three of a hundred. Which side of an edge a position lies on that was taken from the edge
 * itself hangs on the last bit.
 */

/** A number as the sum of two: the nearest one, and what is missing to it. */
interface Pair {
  readonly high: number;
  readonly low: number;
}

interface SineAndCosine {
  readonly sine: Pair;
  readonly cosine: Pair;
}

/** Of the table, in each radian. */
const steps = 64;
const fractionBits = 160n;
const one = 1n << fractionBits;

/** Sines and cosines of 0, 1/64, 2/64 and so on, a little beyond π. */
const table = sinesAndCosines(Math.ceil(Math.PI * steps) + 1);

function sinesAndCosines(count: number): readonly SineAndCosine[] {
  const step = one / BigInt(steps);
  const times = (a: bigint, b: bigint): bigint => (a * b) >> fractionBits;
  // Taylor's series: after thirty terms nothing of a step is left within the fraction.
  let [sine, cosine, term] = [0n, 0n, one];
  for (let power = 0n; power < 30n; power += 1n) {
    const signed = power % 4n < 2n ? term : -term;
    if (power % 2n === 0n) cosine += signed;
    else sine += signed;
    term = times(term, step) / (power + 1n);
  }
  const found: SineAndCosine[] = [];
  let [s, c] = [0n, one];
  for (let index = 0; index < count; index += 1) {
    found.push({ sine: pairOf(s), cosine: pairOf(c) });
    [s, c] = [times(s, cosine) + times(c, sine), times(c, cosine) - times(s, sine)];
  }
  return found;
}

function pairOf(fixed: bigint): Pair {
  const scale = 2 ** Number(fractionBits);
  const high = Number(fixed) / scale;
  return { high, low: Number(fixed - BigInt(high * scale)) / scale };
}

/** Dekker's splitting: Numerische Mathematik 18 (1971), 224. */
const splitter = 2 ** 27 + 1;

/** What the rounding of a product left out. */
function productError(a: number, b: number, product: number): number {
  const [wideA, wideB] = [splitter * a, splitter * b];
  const [highA, highB] = [wideA - (wideA - a), wideB - (wideB - b)];
  const [lowA, lowB] = [a - highA, b - highB];
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

/** What the rounding of a sum left out. */
function sumError(a: number, b: number, sum: number): number {
  const rest = sum - a;
  return a - (sum - rest) + (b - rest);
}

/** `from + by * rest + little`, with what is beyond a number's bits. */
function stepped(from: Pair, by: Pair, rest: number, little: number): Pair {
  const product = by.high * rest;
  const sum = from.high + product;
  const low =
    sumError(from.high, product, sum) + productError(by.high, rest, product) + from.low + by.low * rest + little;
  const high = sum + low;
  return { high, low: low - (high - sum) };
}

/** @param radians - from -π to π */
function sineAndCosine(radians: number): SineAndCosine {
  const size = Math.abs(radians);
  const index = Math.round(size * steps);
  const step = table[index];
  if (step === undefined) throw new RangeError(`${radians} is beyond π`);
  const { sine, cosine } = step;
  const rest = size - index / steps;
  const square = rest * rest;
  const cosineLess = square * (-1 / 2 + square * (1 / 24 - square / 720));
  const sineLess = rest * square * (-1 / 6 + square * (1 / 120 - square / 5040));
  const found = stepped(sine, cosine, rest, sine.high * cosineLess + cosine.high * sineLess);
  const minusSine = { high: -sine.high, low: -sine.low };
  return {
    sine: radians < 0 ? { high: -found.high, low: -found.low } : found,
    cosine: stepped(cosine, minusSine, rest, cosine.high * cosineLess - sine.high * sineLess),
  };
}

/** Below this the table's steps cancel out, and `Math` is more precise than is asked. */
const small = 2 ** -10;

/** @param radians - from -π to π */
export function sin(radians: number): number {
  if (Math.abs(radians) < small) return Math.sin(radians);
  const { high } = sineAndCosine(radians).sine;
  return Math.abs(high) < small ? Math.sin(radians) : high;
}

/** @param radians - from -π to π */
export function cos(radians: number): number {
  const { high } = sineAndCosine(radians).cosine;
  return Math.abs(high) < small ? Math.cos(radians) : high;
}

export function atan2(y: number, x: number): number {
  const angle = Math.atan2(y, x);
  if (x === 0 || y === 0) return angle;
  const { sine, cosine } = sineAndCosine(angle);
  const [up, across] = [y * cosine.high, x * sine.high];
  const low = productError(y, cosine.high, up) - productError(x, sine.high, across) + y * cosine.low - x * sine.low;
  return angle + (up - across + low) / Math.sqrt(x * x + y * y);
}

/** @param cosine - from 0 to 1 */
export function acos(cosine: number): number {
  const angle = Math.acos(cosine);
  if (cosine === 0 || cosine === 1) return angle;
  const found = sineAndCosine(angle);
  return angle + (found.cosine.high - cosine + found.cosine.low) / found.sine.high;
}
