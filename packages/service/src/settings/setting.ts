/** The types of settings, and what each makes of its text. */
export interface SettingTypes {
  string: string;
  /** Never printed, neither in a table nor in an error. */
  secret: string;
  integer: number;
  /** 0 to 1. */
  ratio: number;
  boolean: boolean;
  /** `250ms`, `5s`, `10m`, `2h`, `1d`: milliseconds. */
  duration: number;
  /** `512KiB`, `4MiB`, or plain bytes: bytes. */
  bytes: number;
  port: number;
  /** An absolute URL of http or https, without a slash at its end. */
  url: string;
  /** Separated by commas. */
  list: readonly string[];
}

interface Row<Type extends keyof SettingTypes> {
  /** Its name in the environment. */
  readonly env: string;
  readonly type: Type;
  /** One sentence for the operator. */
  readonly description: string;
  /** In the form of the value, not of the text. Without one the setting is required, unless it is optional. */
  readonly default?: SettingTypes[Type];
  /** It may be missing, and is then undefined. */
  readonly optional?: true;
  /** Fewest characters, of texts and secrets. */
  readonly minLength?: number;
  /** Smallest and largest value, of numbers. */
  readonly min?: number;
  readonly max?: number;
}

interface EnumRow {
  readonly env: string;
  readonly type: 'enum';
  readonly values: readonly string[];
  readonly description: string;
  readonly default?: string;
  readonly optional?: true;
}

/** One row of a service's configuration. */
export type Setting = { [Type in keyof SettingTypes]: Row<Type> }[keyof SettingTypes] | EnumRow;

/** A service's configuration: one row a setting, by the name that the code uses. */
export type Settings = Readonly<Record<string, Setting>>;

type Given<One extends Setting> = One extends { readonly type: 'enum'; readonly values: readonly (infer Value)[] }
  ? Value
  : One extends { readonly type: infer Type extends keyof SettingTypes }
    ? SettingTypes[Type]
    : never;

type ValueOf<One extends Setting> = One extends { readonly optional: true } ? Given<One> | undefined : Given<One>;

/** The values of a configuration. */
export type SettingValues<Rows extends Settings> = { readonly [Name in keyof Rows]: ValueOf<Rows[Name]> };

/**
 * Declares settings; keeps their literal types.
 *
 * @param rows - one a setting
 */
export const defineSettings = <const Rows extends Settings>(rows: Rows): Rows => rows;
