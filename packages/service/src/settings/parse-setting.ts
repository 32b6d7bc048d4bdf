import type { Setting } from './setting.ts';

/** What is wrong with a text, as the end of a sentence that begins with the setting's name. */
export class BadSetting extends Error {
  override readonly name = 'BadSetting';
}

const durationMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeBytes: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

const scaled = (text: string, units: Readonly<Record<string, number>>, what: string): number => {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text);
  const unit = units[match?.[2] ?? ''];
  if (match === null || unit === undefined) throw new BadSetting(`must be ${what}`);
  return Math.round(Number(match[1]) * unit);
};

const numberOf = (text: string, whole: boolean, what: string): number => {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || (whole && !Number.isSafeInteger(value))) {
    throw new BadSetting(`must be ${what}`);
  }
  return value;
};

const within = (value: number, min: number | undefined, max: number | undefined): number => {
  if (min !== undefined && value < min) throw new BadSetting(`must be at least ${min}`);
  if (max !== undefined && value > max) throw new BadSetting(`must be at most ${max}`);
  return value;
};

const longEnough = (text: string, minLength = 1): string => {
  if (text.length < minLength) throw new BadSetting(`must have at least ${minLength} characters`);
  return text;
};

const urlOf = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new BadSetting('must be an absolute URL of http or https, such as http://127.0.0.1:8080');
  }
  return text.replace(/\/+$/, '');
};

const booleanOf = (text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw new BadSetting('must be true or false');
  return text === 'true';
};

const listOf = (text: string): readonly string[] => {
  const items = text.split(',').map((each) => each.trim());
  if (items.includes('')) throw new BadSetting('must be a list separated by commas, without empty entries');
  return items;
};

/**
 * Reads one setting's text.
 *
 * @throws {@link BadSetting} with what to do; never with the text of a secret
 */
export const parseSetting = (setting: Setting, text: string): unknown => {
  switch (setting.type) {
    case 'string':
    case 'secret':
      return longEnough(text, setting.minLength);
    case 'integer':
      return within(numberOf(text, true, 'a whole number'), setting.min, setting.max);
    case 'ratio':
      return within(numberOf(text, false, 'a number from 0 to 1'), setting.min ?? 0, setting.max ?? 1);
    case 'port':
      return within(numberOf(text, true, 'a port: 0 to 65535'), 0, 65_535);
    case 'boolean':
      return booleanOf(text);
    case 'duration':
      return within(scaled(text, durationMs, 'a duration such as 250ms, 5s or 10m'), setting.min, setting.max);
    case 'bytes':
      return within(scaled(text, sizeBytes, 'a size such as 512KiB or 4MiB'), setting.min, setting.max);
    case 'url':
      return urlOf(text);
    case 'list':
      return listOf(text);
    case 'enum':
      if (!setting.values.includes(text)) throw new BadSetting(`must be one of ${setting.values.join(', ')}`);
      return text;
  }
};
