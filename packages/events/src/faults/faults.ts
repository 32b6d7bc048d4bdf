import type { Fault } from './fault.ts';
import { duplicates } from './injections/duplicates.ts';
import { killAt } from './injections/kill-at.ts';
import { hangingLink } from './injections/links.ts';
import { lostAnswers } from './injections/lost-answers.ts';
import { lostHistory } from './injections/lost-history.ts';
import { kafkaAway, mongodbKilled, mongodbRolledBack, mongodbSteppedDown } from './injections/outages.ts';
import { poison } from './injections/poison.ts';
import { frozenLeader, jumpingClock, rebalances } from './injections/replicas.ts';

/** Every fault that there is, in the order in which a run goes through them. */
export const allFaults: readonly Fault[] = [
  killAt('kill-recorded', 'recorded', 'between the commit and its bell'),
  killAt('kill-unpublished', 'relay.taken', 'between commit and publish'),
  killAt('kill-logged', 'relay.logged', 'between the log and Kafka'),
  killAt('kill-published', 'relay.published', 'between publish and pull'),
  killAt('kill-handled', 'consumer.handled', 'after the effect and before its offset'),
  duplicates,
  poison,
  rebalances,
  frozenLeader,
  jumpingClock,
  hangingLink,
  lostAnswers,
  kafkaAway,
  mongodbKilled,
  mongodbSteppedDown,
  mongodbRolledBack,
  lostHistory,
];
