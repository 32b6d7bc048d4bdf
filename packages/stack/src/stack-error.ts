/**
 * Something that whoever started the stack has to know and can act on: its message is printed as it is, without a stack,
 * and the command ends with status 1.
 */
export class StackError extends Error {
  override readonly name = 'StackError';
}

/** @returns the words of whatever was thrown, without a stack */
export function wordsOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return wordsOf(thrown.errors[0]);
  if (!(thrown instanceof Error)) return String(thrown);
  // Drivers wrap what the operating system said; the innermost cause names it.
  const inner = thrown.cause instanceof Error ? wordsOf(thrown.cause) : '';
  return inner === '' || thrown.message.includes(inner) ? thrown.message : `${thrown.message} (${inner})`;
}

/** @returns the system's code of an error (`ENOENT`, `EADDRINUSE`, …), if it has one */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
