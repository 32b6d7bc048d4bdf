import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { csvRow } from './csv.ts';

describe('a row of CSV', () => {
  for (const [value, cell] of [
    [undefined, ''],
    [null, ''],
    ['', ''],
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [true, 'true'],
    [-5, '-5'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [1.5, '1.5'],
    [['a', 1], '"[""a"",1]"'],
    [{ a: 1 }, '"{""a"":1}"'],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-x', "'-x"],
    ['@cmd', "'@cmd"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['\t=1+1', "'\t=1+1"],
    ['\r=1+1', '"\'\r=1+1"'],
    ['a=b', 'a=b'],
  ] as const) {
    it(`has ${JSON.stringify(cell)} for ${value === undefined ? 'nothing' : JSON.stringify(value)}`, () => {
      assert.equal(csvRow(['x', value]), `x,${cell}\r\n`);
    });
  }
});
