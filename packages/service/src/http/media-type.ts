/** A media type without its parameters, in lower case; undefined where the header is absent or malformed. */
export const mediaTypeOf = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase();
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : undefined;
};

/** Whether the charset parameter, where there is one, says UTF-8: JSON knows no other (RFC 8259 §8.1). */
export const isUtf8 = (header: string | undefined): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(header ?? '')?.[1];
  return charset === undefined || /^utf-?8$/i.test(charset);
};

interface Range {
  readonly type: string;
  readonly quality: number;
}

const parseAccept = (header: string): Range[] =>
  header.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const quality = parameters.find((each) => each.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    return { type, quality: Number.isFinite(value) ? value : 0 };
  });

const specificity = (range: string, type: string): number => {
  if (range === type) return 3;
  if (range.endsWith('/*') && range !== '*/*' && type.startsWith(range.slice(0, -1))) return 2;
  return range === '*/*' ? 1 : 0;
};

const qualityOf = (ranges: readonly Range[], type: string): number => {
  let best = 0;
  let quality = 0;
  for (const range of ranges) {
    const how = specificity(range.type, type);
    if (how > best) {
      best = how;
      quality = range.quality;
    }
  }
  return quality;
};

/**
 * The media type to answer with (RFC 9110 §12.5.1): the most specific range decides a type's quality, and the first
 * offered wins among equals.
 *
 * @param accept - the `Accept` header; without one everything is acceptable
 * @param offered - in order of preference
 * @returns undefined where nothing is acceptable
 */
export const negotiate = (accept: string | undefined, offered: readonly string[]): string | undefined => {
  const [first] = offered;
  // An empty list says nothing, as no header does (RFC 9110 §12.5.1).
  if (accept === undefined || accept === '*/*' || accept === first || accept.trim() === '') return first;
  const ranges = parseAccept(accept);
  let chosen: string | undefined;
  let best = 0;
  for (const type of offered) {
    const quality = qualityOf(ranges, type);
    if (quality > best) {
      best = quality;
      chosen = type;
    }
  }
  return chosen;
};
