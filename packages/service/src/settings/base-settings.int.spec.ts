import { it } from 'node:test';

import { assertSettingsTable } from '../testing/settings-readme.ts';
import {
  kafkaSettings,
  keySettings,
  mongodbSettings,
  processSettings,
  redisSettings,
  tokenSettings,
} from './base-settings.ts';

it('the README has the settings that services share', async () => {
  await assertSettingsTable(new URL('../../README.md', import.meta.url), {
    ...processSettings,
    ...mongodbSettings,
    ...kafkaSettings,
    ...redisSettings,
    ...tokenSettings,
    ...keySettings,
  });
});
