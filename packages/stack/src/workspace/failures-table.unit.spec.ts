import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const root = new URL('../../../../', import.meta.url);
const roots: Readonly<Record<string, string>> = {
  cache: 'packages/cache/src/',
  events: 'packages/events/src/',
  stack: 'packages/stack/src/',
  service: 'packages/service/src/',
  gateway: 'services/gateway/src/',
  auth: 'services/auth/src/',
  user: 'services/user/src/',
  data: 'services/data/src/',
  e2e: 'e2e/src/',
};

/** Tests that a row names: a project, a file in backticks, and titles behind a colon; all parted by semicolons. */
const namedIn = (cell: string): { file: string; titles: string[] }[] => {
  let project = '';
  return [...cell.matchAll(/`([\w./-]+\.spec\.ts)`(?:: ([^`]*))?/g)].map(({ index, 1: file = '', 2: text = '' }) => {
    const before = /(\w+) $/.exec(cell.slice(0, index))?.[1] ?? '';
    if (before in roots) project = before;
    const titles = text.split(';').map((title) => title.trim());
    return { file: `${roots[project] ?? ''}${file}`, titles: titles.filter((each) => each !== '' && !(each in roots)) };
  });
};

/** A spec, and the suites that it has in common with others. */
const textOf = (file: string): string => {
  const at = new URL(file, root);
  const spec = readFileSync(at, 'utf8');
  const suites = [...spec.matchAll(/from '([^']+-suite\.ts)'/g)].map(([, path = '']) =>
    readFileSync(new URL(path, at), 'utf8'),
  );
  return [spec, ...suites].join('\n');
};

describe('docs/failures.md', () => {
  const rows = readFileSync(new URL('docs/failures.md', root), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:what happens|-)/.test(line));

  it('names tests that there are', () => {
    assert.ok(rows.length >= 25);
    for (const row of rows) {
      for (const { file, titles } of namedIn(row.split('|')[3] ?? '')) {
        assert.ok(existsSync(new URL(file, root)), `there is no ${file}`);
        const spec = textOf(file);
        for (const title of titles) assert.ok(spec.includes(title), `${file} has no test “${title}”`);
      }
    }
  });
});
