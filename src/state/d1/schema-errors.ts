// Recognises that the database's schema is not the one that this Worker was written for, by what D1 says of a statement,
// so that no request pays for a look at the version.

const MISMATCHES =
  /\bno such (?:table|column|view): |\bhas no column named |\bcannot modify \S+ because it is a view\b/;

/** Whether an error comes from a schema that this Worker does not fit. */
export function isSchemaMismatch(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isSchemaMismatch)) return true;
  return MISMATCHES.test(error.message) || isSchemaMismatch(error.cause);
}
