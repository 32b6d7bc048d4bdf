import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareVersions, javaMajor, unfitForData, versionIn } from './version.ts';

describe('versionIn', () => {
  it('reads what the servers print about themselves', () => {
    assert.equal(versionIn('db version v6.0.5\nBuild Info: {'), '6.0.5');
    assert.equal(versionIn('Redis server v=6.2.14 sha=40305114:0 malloc=libc'), '6.2.14');
    assert.equal(versionIn('kafka-clients-4.1.0.jar'), '4.1.0');
  });

  it('finds none where there is none', () => {
    assert.equal(versionIn('command not found'), undefined);
  });
});

describe('compareVersions', () => {
  it('compares numbers, not letters', () => {
    assert.ok(compareVersions('10.0', '9.9') > 0);
    assert.ok(compareVersions('6.2.14', '6.2.9') > 0);
    assert.ok(compareVersions('5.0.31', '6.0') < 0);
  });

  it('takes a missing part for 0', () => {
    assert.equal(compareVersions('6.0', '6.0.0'), 0);
    assert.ok(compareVersions('6.0.1', '6.0') > 0);
  });
});

describe('javaMajor', () => {
  it('knows both ways of counting', () => {
    assert.equal(javaMajor('openjdk version "21.0.2" 2024-01-16 LTS'), 21);
    assert.equal(javaMajor('java version "1.8.0_412"'), 8);
    assert.equal(javaMajor('openjdk version "17" 2021-09-14'), 17);
    assert.equal(javaMajor('no java here'), undefined);
  });
});

describe('unfitForData', () => {
  it('allows the same release and the next one', () => {
    assert.equal(unfitForData('6.0.5', '6.0.14'), undefined);
    assert.equal(unfitForData('6.0.5', '7.0.2'), undefined);
  });

  it('refuses to go back, or to skip a release', () => {
    assert.match(unfitForData('8.0.11', '6.0.5') ?? '', /cannot read/);
    assert.match(unfitForData('6.0.5', '8.0.11') ?? '', /too old/);
  });
});
