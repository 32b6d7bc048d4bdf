import { BadSetting, parseSetting } from './parse-setting.ts';
import type { Setting, Settings, SettingValues } from './setting.ts';

/** Everything that is wrong with the settings, at once. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  /** One sentence a setting, beginning with its name in the environment. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'a setting is' : `${problems.length} settings are`} wrong:\n${problems.map((each) => `  ${each}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

const readOne = (setting: Setting, text: string | undefined): unknown => {
  // An empty variable is one that somebody meant to leave out (Compose and Kubernetes write it so).
  if (text !== undefined && text.trim() !== '') return parseSetting(setting, text.trim());
  if (setting.default !== undefined || setting.optional === true) return setting.default;
  throw new BadSetting(`is not set: ${setting.description}`);
};

/**
 * Says what is wrong with settings that no row can judge alone.
 *
 * @param values - those that keep to their rows; what does not, or was left out, is undefined
 * @returns one sentence for each fault, beginning with the setting's name in the environment
 */
export type SettingsCheck<Rows extends Settings> = (values: Partial<SettingValues<Rows>>) => readonly string[];

/**
 * Reads a configuration, once, at start.
 *
 * @param rows - as declared by `defineSettings`
 * @param environment - `process.env`
 * @param check - of what concerns several rows
 * @returns the values, frozen
 * @throws {@link SettingsError} naming every setting that is missing or wrong
 */
export const readSettings = <Rows extends Settings>(
  rows: Rows,
  environment: Readonly<Record<string, string | undefined>>,
  check: SettingsCheck<Rows> = () => [],
): SettingValues<Rows> => {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(rows)) {
    try {
      values[name] = readOne(setting, environment[setting.env]);
    } catch (error) {
      if (!(error instanceof BadSetting)) throw error;
      problems.push(`${setting.env} ${error.message}`);
    }
  }
  problems.push(...check(values as Partial<SettingValues<Rows>>));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(values) as SettingValues<Rows>;
};
