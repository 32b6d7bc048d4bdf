/** The versions from which on a server can do what the platform needs. */
export const oldest = { mongodb: '6.0', kafka: '4.0', redis: '6.2', java: '17' } as const;

/**
 * @param text - what a program prints about itself, or what a server says
 * @returns the first thing in it that looks like a version, `major.minor` at least
 */
export function versionIn(text: string): string | undefined {
  return /\d+(?:\.\d+)+/.exec(text)?.[0];
}

/** @returns less than 0, 0 or more, as `left` is older than, as old as or newer than `right`; a missing part counts as 0 */
export function compareVersions(left: string, right: string): number {
  const [lefts, rights] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let part = 0; part < Math.max(lefts.length, rights.length); part += 1) {
    const difference = (lefts[part] ?? 0) - (rights[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The version of Java out of what `java -version` prints: `"21.0.2"`, and in the counting of before Java 9, `"1.8.0_412"`.
 *
 * @returns its major version
 */
export function javaMajor(text: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * mongod opens the files of its own release and of the one before.
 * https://www.mongodb.com/docs/manual/reference/command/setFeatureCompatibilityVersion/
 *
 * @returns what speaks against giving the data of one version to a mongod of another, or `undefined`
 */
export function unfitForData(written: string, program: string): string | undefined {
  const [from, to] = [Number(written.split('.')[0]), Number(program.split('.')[0])];
  if (to < from) return `the data was written by MongoDB ${written}, which ${program} cannot read`;
  if (to > from + 1) return `the data was written by MongoDB ${written}, too old for ${program}`;
  return undefined;
}
