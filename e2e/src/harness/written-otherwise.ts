import { type Needle, shortestNeedle } from './byte-finder.ts';

/** In base64 a text looks different at each of three places; what its neighbours decide is left out. */
const inBase64 = (text: string): string[] =>
  [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).toString('base64');
    const from = Math.ceil((offset * 4) / 3);
    const whole = Math.floor(((offset + Buffer.byteLength(text)) * 8) / 6);
    return encoded.slice(from, whole);
  });

/** @returns a secret as it is, and as it may stand in JSON, in an address or in base64 */
export function writtenOtherwise({ text, what }: Needle): Needle[] {
  const base64 = inBase64(text);
  const forms = new Map<string, string>([
    [text, what],
    [JSON.stringify(text).slice(1, -1), `${what}, as JSON`],
    [encodeURIComponent(text), `${what}, in an address`],
    [encodeURIComponent(text).replaceAll('%20', '+'), `${what}, in a form`],
    ...base64.map((form): [string, string] => [form, `${what}, in base64`]),
    ...base64.map((form): [string, string] => [
      form.replaceAll('+', '-').replaceAll('/', '_'),
      `${what}, in base64url`,
    ]),
  ]);
  forms.set(text, what);
  return [...forms]
    .filter(([form]) => form.length >= shortestNeedle)
    .map(([form, said]) => ({ text: form, what: said }));
}
