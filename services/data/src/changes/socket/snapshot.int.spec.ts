import { testSnapshots } from '../../testing/snapshot-suite.ts';

testSnapshots('socket');
