/** The line end of RFC 4180 §2. */
export const csvLineEnd = '\r\n';

/**
 * A row of CSV (RFC 4180): nested values as JSON, times in ISO 8601, nothing where there is nothing. Text that begins with `=`, `+`, `-`,
 * `@`, a tab or a carriage return gets a `'` before it, so that no spreadsheet takes it for a formula (OWASP, "CSV
 * Injection"); numbers do not.
 *
 * @param values - in the order of the columns
 */
export function csvRow(values: readonly unknown[]): string {
  return values.map(csvCell).join(',') + csvLineEnd;
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return value.toISOString();
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
