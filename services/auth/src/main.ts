import { runService } from '@causeway/service';

import { start } from './app.ts';
import { checkSettings, settings } from './config.ts';

await runService({ name: 'auth', settings, check: checkSettings, start });
