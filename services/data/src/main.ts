import { runService } from '@causeway/service';

import { start } from './app.ts';
import { settings } from './config.ts';

await runService({ name: 'data', settings, start });
