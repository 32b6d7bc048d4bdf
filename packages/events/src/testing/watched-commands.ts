import type { CommandStartedEvent, Document, MongoClient } from 'mongodb';

const reads = new Set(['find', 'aggregate', 'count', 'distinct']);
const writes = new Set(['insert', 'update', 'delete', 'findAndModify', 'bulkWrite']);

/** Whether the first statement of its transaction has said what holds for this one. */
const isLater = ({ autocommit, startTransaction }: Document): boolean =>
  autocommit === false && startTransaction !== true;

const concernOf = (name: string, command: Document): string | undefined => {
  const { readConcern, writeConcern, startTransaction } = command as {
    readonly readConcern?: { readonly level?: string };
    readonly writeConcern?: { readonly w?: string | number };
    readonly startTransaction?: boolean;
  };
  if (name === 'commitTransaction') return `w ${writeConcern?.w ?? 'as may be'}`;
  if (isLater(command)) return undefined;
  if (startTransaction === true) return `transaction, reads ${readConcern?.level ?? 'as may be'}`;
  if (reads.has(name)) return `reads ${readConcern?.level ?? 'as may be'}`;
  return writes.has(name) ? `w ${writeConcern?.w ?? 'as may be'}` : undefined;
};

/** What a statement does, beside its name, that decides how it may be kept. */
const detailOf = (command: Document): string => {
  const { pipeline, updates } = command as {
    readonly pipeline?: readonly Document[];
    readonly updates?: readonly { readonly u: Document }[];
  };
  const [first] = pipeline ?? [];
  if (first !== undefined && ('$collStats' in first || '$changeStream' in first))
    return ` ${Object.keys(first).join()}`;
  return updates?.some(({ u }) => '$pull' in u) === true ? ' $pull' : '';
};

/**
 * Notes how each kind of command that reads or writes data in a database is to be read or kept: `find notes: reads majority`. One line for
 * each kind, however often it is sent. The client must be made with `monitorCommands`.
 */
export const watchCommands = (client: MongoClient, database: string): ReadonlySet<string> => {
  const kinds = new Set<string>();
  client.on('commandStarted', ({ commandName, command, databaseName }: CommandStartedEvent) => {
    const concern = concernOf(commandName, command);
    if (concern === undefined) return;
    // A commit goes to `admin`, whatever it is about.
    if (commandName === 'commitTransaction') kinds.add(`commitTransaction: ${concern}`);
    else if (databaseName === database)
      kinds.add(`${commandName} ${String(command[commandName])}${detailOf(command)}: ${concern}`);
  });
  return kinds;
};
