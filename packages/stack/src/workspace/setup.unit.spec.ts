import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isInstalled } from '../../setup.mjs';

describe('isInstalled', () => {
  const wanted = {
    packages: {
      '': { name: 'causeway' },
      'packages/stack': { version: '0.1.0' },
      'node_modules/@causeway/stack': { link: true, resolved: 'packages/stack' },
      'node_modules/express': { version: '5.1.0' },
      'node_modules/fsevents': { version: '2.3.3', optional: true },
    },
  };
  const installed = {
    packages: {
      'node_modules/@causeway/stack': { link: true, resolved: 'packages/stack' },
      'node_modules/express': { version: '5.1.0' },
    },
  };
  const without = (name: string) => ({
    packages: Object.fromEntries(Object.entries(installed.packages).filter(([each]) => each !== name)),
  });

  it('is content when everything is there, but for what other platforms need', () => {
    assert.equal(isInstalled(wanted, installed), true);
  });

  it('notices what is missing, of another version, or not linked', () => {
    assert.equal(isInstalled(wanted, {}), false);
    assert.equal(isInstalled(wanted, without('node_modules/express')), false);
    assert.equal(isInstalled(wanted, without('node_modules/@causeway/stack')), false);
    const older = { packages: { ...installed.packages, 'node_modules/express': { version: '5.0.0' } } };
    assert.equal(isInstalled(wanted, older), false);
  });
});
