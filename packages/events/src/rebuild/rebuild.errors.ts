import { defineFault } from '@causeway/contracts';

import { replayFaults } from '../replay/replay.errors.ts';

/** What a rebuild may be refused with. */
export const rebuildFaults = {
  unknownHandler: replayFaults.unknownHandler,
  noHandlers: replayFaults.noHandlers,
  noLog: replayFaults.noLog,
  noProjection: defineFault({
    code: 'no-projection',
    category: 'unprocessable',
    title: 'The handler keeps no read model',
    description: 'Only a projection can be built anew: whatever else a handler does, it has done.',
  }),
  rebuildRunning: defineFault({
    code: 'rebuild-running',
    category: 'conflict',
    title: 'A rebuild of this is running already',
    description: 'Wait until it has ended. Where it waits for a decision, have it swapped in or dropped.',
  }),
  nothingToDecide: defineFault({
    code: 'nothing-to-decide',
    category: 'conflict',
    title: 'The rebuild does not wait for that',
    description: 'It has ended, it is decided, or both copies have not been compared yet. It says which.',
  }),
} as const;
