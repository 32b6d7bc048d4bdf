import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { checkout } from '../testing/throw-away-servers.ts';

const read = (file: string): Promise<string> => readFile(path.join(checkout, file), 'utf8');

describe('the commands that the README names', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
  const named = [...(await read('README.md')).matchAll(/npm (?:run )?([a-z][\w:-]*)/g)].map((match) => match[1] ?? '');
  const commands = [...new Set(named)];

  it('are more than a few', () => assert.ok(commands.length > 8, commands.join()));

  for (const command of commands) {
    it(`${command} is there, and looks first whether the dependencies are`, () => {
      assert.ok(scripts[command] !== undefined, `there is no script ${command}`);
      const first = scripts[`pre${command}`] ?? scripts[command];
      assert.match(first, /^node packages\/stack\/setup\.mjs/);
    });
  }
});
