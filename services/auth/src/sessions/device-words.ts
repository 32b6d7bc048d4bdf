type Words = readonly (readonly [pattern: RegExp, name: string])[];

/** The first that matches: many say that they are others too. */
const programs: Words = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const systems: Words = [
  [/\bWindows\b/, 'Windows'],
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

const nameIn = (words: Words, userAgent: string): string | undefined =>
  words.find(([pattern]) => pattern.test(userAgent))?.[1];

/** @returns the browser and its system; undefined where it is none of those that are known here */
export const knownDeviceInWords = (userAgent = ''): string | undefined => {
  const [program, system] = [nameIn(programs, userAgent), nameIn(systems, userAgent)];
  return program !== undefined && system !== undefined ? `${program} on ${system}` : program;
};

/**
 * What somebody calls the device that a session was begun with. It helps them to tell theirs apart; whoever wants to can say another.
 *
 * @param userAgent - `User-Agent`, as it was sent
 */
export const deviceInWords = (userAgent: string | undefined): string => {
  if (userAgent === undefined) return 'Unknown device';
  // Programs that are no browsers name themselves first (RFC 9110 §10.1.5).
  const named = /^[\w.-]{1,40}/.exec(userAgent)?.[0];
  return knownDeviceInWords(userAgent) ?? named ?? nameIn(systems, userAgent) ?? 'Unknown device';
};
