import type { Setting, Settings } from './setting.ts';

const unitOf = (ms: number): string => {
  if (ms % 86_400_000 === 0 && ms > 0) return `${ms / 86_400_000}d`;
  if (ms % 3_600_000 === 0 && ms > 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
};

const sizeOf = (bytes: number): string => {
  if (bytes > 0 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576}MiB`;
  return bytes > 0 && bytes % 1_024 === 0 ? `${bytes / 1_024}KiB` : `${bytes}B`;
};

/** A default as one would write it into the environment. */
const defaultOf = (setting: Setting): string => {
  if (setting.default === undefined) return setting.optional === true ? '' : '**required**';
  if (setting.type === 'secret') return '(secret)';
  if (setting.type === 'duration') return `\`${unitOf(setting.default)}\``;
  if (setting.type === 'bytes') return `\`${sizeOf(setting.default)}\``;
  return `\`${setting.type === 'list' ? setting.default.join(',') : String(setting.default)}\``;
};

const typeOf = (setting: Setting): string =>
  setting.type === 'enum' ? setting.values.map((each) => `\`${each}\``).join(' ') : setting.type;

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Between these two lines of a README stands the generated table. */
export const tableMarkers = {
  begin: '<!-- settings: generated, see config.ts -->',
  end: '<!-- /settings -->',
} as const;

/** The formatter would pad the columns, and the table would never be what the code says. */
const unformatted = { begin: '<!-- prettier-ignore-start -->', end: '<!-- prettier-ignore-end -->' } as const;

/**
 * The table of a service's settings for its README.
 *
 * @param rows - as declared by `defineSettings`
 * @returns Markdown, without the markers
 */
export const settingsTable = (rows: Settings): string =>
  [
    '| setting | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...Object.values(rows).map(
      (each) => `| \`${each.env}\` | ${cell(typeOf(each))} | ${cell(defaultOf(each))} | ${cell(each.description)} |`,
    ),
  ].join('\n');

/**
 * A README with its table of settings brought up to date.
 *
 * @param readme - the text, holding {@link tableMarkers}
 * @returns the text as it should be; equal to what was given where nothing has drifted
 * @throws Error when a marker is missing
 */
export const withSettingsTable = (readme: string, rows: Settings): string => {
  const begin = readme.indexOf(tableMarkers.begin);
  const end = readme.indexOf(tableMarkers.end);
  if (begin === -1 || end < begin) throw new Error(`the README lacks ${tableMarkers.begin} … ${tableMarkers.end}`);
  return `${readme.slice(0, begin + tableMarkers.begin.length)}\n${unformatted.begin}\n\n${settingsTable(rows)}\n\n${unformatted.end}\n${readme.slice(end)}`;
};
