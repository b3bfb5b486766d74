// Detects a schema mismatch from D1's error messages, so that no request pays for a version check.

const MISMATCHES =
  /\bno such (?:table|column|view): |\bhas no column named |\bcannot modify \S+ because it is a view\b/;

/** Whether an error, or one of its causes, shows that the schema does not match this Worker. */
export function isSchemaMismatch(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isSchemaMismatch)) return true;
  return MISMATCHES.test(error.message) || isSchemaMismatch(error.cause);
}
