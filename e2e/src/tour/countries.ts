import countries, { type Countries } from 'world-countries';

// Its types say that the list is one level further down than Node finds it in this CommonJS package.
const published = countries as unknown as Countries;

/** A country as the tour stores it. */
export interface Country {
  readonly cca3: string;
  readonly name: { readonly common: string; readonly official: string };
  readonly region: string;
  readonly subregion: string;
  readonly capital: readonly string[];
  readonly borders: readonly string[];
  readonly area: number;
  readonly landlocked: boolean;
  readonly flag: string;
}

/** All countries of the npm package `world-countries`. */
export const allCountries: readonly Country[] = published.map((country) => ({
  cca3: country.cca3,
  name: { common: country.name.common, official: country.name.official },
  region: country.region,
  subregion: country.subregion,
  capital: country.capital,
  borders: country.borders,
  area: country.area,
  landlocked: country.landlocked,
  flag: country.flag,
}));

const text = { type: 'string', maxLength: 200 };
const texts = { type: 'array', items: text };

/** The collection as an administrator defines it. */
export const countriesDefinition = {
  schema: {
    type: 'object',
    required: ['cca3', 'name', 'region', 'area'],
    properties: {
      cca3: { type: 'string', pattern: '^[A-Z]{3}$' },
      name: { type: 'object', required: ['common'], properties: { common: text, official: text } },
      region: text,
      subregion: text,
      capital: texts,
      borders: texts,
      area: { type: 'number' },
      landlocked: { type: 'boolean' },
      flag: text,
      note: text,
    },
  },
  indexes: [{ keys: { cca3: 1 }, unique: true }, { keys: { region: 1, area: -1 } }, { keys: { borders: 1 } }],
  rules: { read: 'public', create: 'signed-in', update: 'signed-in' },
};
