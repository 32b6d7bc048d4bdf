import { runService } from '@causeway/service';

import { start } from './app.ts';
import { checkSettings, settings } from './config.ts';

await runService({ name: 'data', settings, check: checkSettings, start });
