/**
 * Texts that are easily taken for others, or put in another order: letters of one code point and of two (NFC, NFD), of one UTF-16 unit and of two,
 * which sort before U+E000 by units and after it by bytes, marks that are not seen, line ends that JSON leaves as they are, letters that are
 * lower case to some, and code points that are none of anybody's.
 */
export const oddTexts: readonly string[] = [
  ...['e\u0301', '\u1E69', 's\u0323\u0307', 's\u0307\u0323'],
  ...[
    '\u{10FFFF}',
    '\u{1D11E}a',
    '\uE000',
    '\uF8FF',
    '\uFFFF',
    '\uD7FF',
    '\u{10000}',
    '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
  ],
  ...['a\u200Fb', '\u202Eab\u202C', 'a\u200Bb', '\uFEFFa', 'a\u00ADb', 'a\u034Fb'],
  ...['\u2028', 'a\u2029b', '\u0085', 'a\rb', '\v', '\u001F', '\u007F', '\0'],
  ...['\u017F', '\u0131', '\u0130', '\u00DF', '\u1E9E', '\u03C2'],
];

/** Texts of thousands of characters, some of which differ in the last one alone. */
export const longTexts: readonly string[] = [
  'x'.repeat(3_000),
  `${'x'.repeat(2_999)}\uFFFD`,
  `${'x'.repeat(2_999)}\u{1F600}`,
  'e\u0301'.repeat(400),
];
