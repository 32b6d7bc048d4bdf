import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listeningInodes } from './ports.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 31338 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1 0000000000000000 100 0 0 10 0
`;

describe('listeningInodes', () => {
  it('finds who listens, not who is connected', () => {
    assert.deepEqual(listeningInodes(table, 8080), ['31337']);
    assert.deepEqual(listeningInodes(table, 22), ['22']);
    assert.deepEqual(listeningInodes(table, 80), []);
  });
});
