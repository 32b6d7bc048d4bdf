import { defineFault } from '@causeway/contracts';

/** What migrations may be refused with. */
export const migrationFaults = {
  differs: defineFault({
    code: 'migration-differs',
    category: 'conflict',
    title: 'There is another migration of this name',
    description: 'It has other steps. Revert it first, or give the new one a name of its own.',
  }),
  outOfOrder: defineFault({
    code: 'migration-out-of-order',
    category: 'conflict',
    title: 'A later migration has been made',
    description:
      'Migrations are made in the order of their names, and reverted in the opposite one. `last` names the last that was made.',
  }),
  unfinished: defineFault({
    code: 'migration-unfinished',
    category: 'conflict',
    title: 'Another migration is not finished',
    description:
      'One migration is made at a time. `unfinished` names it: wait for it, or, where it has stopped, see what is in its way, and send it again or revert it.',
  }),
  irreversible: defineFault({
    code: 'migration-irreversible',
    category: 'conflict',
    title: 'Nothing is known that would revert the migration',
    description:
      'Give a migration `down` steps; without them only `define` and a `$rename` of all records are reverted.',
  }),
} as const;
