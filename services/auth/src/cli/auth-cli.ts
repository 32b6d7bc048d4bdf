// `npm run auth -- <command>`
import process from 'node:process';

import { runAuthCli } from './run-auth-cli.ts';

const { status, text } = await runAuthCli(process.argv.slice(2), process.env);
(status === 0 ? process.stdout : process.stderr).write(`${text}\n`);
process.exitCode = status;
