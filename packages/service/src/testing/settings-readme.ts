import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';

import { withSettingsTable } from '../settings/settings-table.ts';
import type { Settings } from '../settings/setting.ts';

/**
 * Fails where the table of settings in a README is not what the code says; with `UPDATE_README=1` in the environment it
 * writes the table instead.
 *
 * @param readme - the file, with the two markers of the table
 * @param rows - the service's settings
 */
export const assertSettingsTable = async (readme: string | URL, rows: Settings): Promise<void> => {
  const text = await readFile(readme, 'utf8');
  const expected = withSettingsTable(text, rows);
  if (process.env.UPDATE_README === '1') await writeFile(readme, expected);
  else assert.equal(text, expected, 'the settings have changed: run the specs with UPDATE_README=1');
};
