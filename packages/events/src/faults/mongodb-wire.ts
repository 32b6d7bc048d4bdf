/** OP_MSG: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/#op_msg */
const opMessage = 2013;
/** Header, flags, the kind of the first section, the length of its document, the type of its first element. */
const nameAt = 16 + 4 + 1 + 4 + 1;

const writes = new Set(['insert', 'update', 'findAndModify']);

/** Of a command that is part of a transaction, and none that could be made by itself. */
const inTransaction = 'autocommit';

/**
 * The command that a piece of a connection to MongoDB begins with: drivers send one after another, each from the beginning of a piece.
 *
 * @returns undefined where it does not begin with one
 */
const commandOf = (piece: Buffer): string | undefined => {
  if (piece.length <= nameAt || piece.readInt32LE(12) !== opMessage) return undefined;
  const end = piece.indexOf(0, nameAt);
  return end === -1 ? undefined : piece.toString('latin1', nameAt, end);
};

/**
 * The write that a piece of a connection asks for, by the name of its command: one that a driver makes by itself and repeats once, or the
 * commit of a transaction. Undefined for everything else.
 */
export const writeOf = (piece: Buffer): string | undefined => {
  const command = commandOf(piece);
  if (command === 'commitTransaction') return command;
  return command !== undefined && writes.has(command) && !piece.includes(inTransaction) ? command : undefined;
};
