import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';

import { checkRead } from '../check-read.ts';
import { newEventId } from '../id.ts';
import { sessionEnded, sessionStarted } from './session.ts';

const samplesOf = async (type: string): Promise<Record<string, Record<string, unknown>>> =>
  JSON.parse(await readFile(new URL(`../../released/${type}/1.samples.json`, import.meta.url), 'utf8')) as never;

/** As version 1 of the contract recorded it. */
const recorded = (type: string, data: Record<string, unknown>) => ({
  ...{ specversion: '1.0' as const, id: newEventId(), source: '/causeway/auth', subject: 'session/ses_1', type },
  ...{ time: new Date().toISOString(), datacontenttype: 'application/json' as const, sequence: '0000000000000001' },
  ...{ dataschema: `urn:causeway:contract:${type}:1`, correlationid: 'c', authtype: 'system' as const, data },
});

void describe('sessions of an earlier release', () => {
  it('were begun with a password', async () => {
    for (const sample of Object.values(await samplesOf(sessionStarted.type))) {
      const { data, recordedschema } = checkRead(sessionStarted, recorded(sessionStarted.type, sample) as never);
      assert.deepEqual(data, { ...sample, amr: ['pwd'], acr: 'aal1' });
      assert.match(recordedschema ?? '', /:1$/);
    }
  });

  it('have ended for what they say', async () => {
    const samples = Object.values(await samplesOf(sessionEnded.type));
    assert.equal(samples.length, 4);
    for (const sample of samples) {
      const { data } = checkRead(sessionEnded, recorded(sessionEnded.type, sample) as never);
      assert.deepEqual(data, sample);
    }
  });
});
