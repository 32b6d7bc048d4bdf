// Started by logger.int.spec.ts, which does not read its standard output: it says more than fits, and ends.
import process from 'node:process';

import { createLogger, endLogger } from '../logger.ts';

const lines = 5_000;

const logger = createLogger({ service: 'child' });
for (let line = 0; line < lines; line += 1) logger.info({ line }, 'a line that nobody reads');
await endLogger(logger, 200);
process.exit(3);
