// Maps the fields of a value to the columns of a row. Column lists, parameters and row readers all derive from one
// mapping, so they cannot disagree.
import type { SqlValue } from "./database.ts";

/** One field of a value: its columns, in order, and the conversions to and from them. */
export interface Field<Value> {
  readonly columns: readonly string[];
  /** One parameter per column. */
  readonly write: (value: Value) => readonly SqlValue[];
  /** Receives one stored value per column. */
  readonly read: (stored: readonly unknown[]) => Value;
}

/** A field for every property of a value; a missing property is a type error. */
export type RowMapping<Value> = { readonly [Name in keyof Value]-?: Field<Value[Name]> };

/** A row that D1 returned. */
export type Row = Readonly<Record<string, unknown>>;

/** Returns all column names in the order of the mapping. */
export function columnsOf<Value>(mapping: RowMapping<Value>): readonly string[] {
  return fieldsOf(mapping).flatMap(([, field]) => field.columns);
}

/** Returns the column list of a SELECT on a table alias. */
export function selectList<Value>(mapping: RowMapping<Value>, alias: string): string {
  return columnsOf(mapping)
    .map((column) => `${alias}.${column}`)
    .join(", ");
}

/** Returns the parameters that store a value, in the order of {@link columnsOf}. */
export function parametersOf<Value>(mapping: RowMapping<Value>, value: Value): readonly SqlValue[] {
  return fieldsOf(mapping).flatMap(([name, field]) => field.write(value[name]));
}

/** Reads a value from a row that has all columns of the mapping. */
export function valueFromRow<Value>(mapping: RowMapping<Value>, row: Row): Value {
  // A copy has all properties at once, which is faster than to add them one by one.
  const value: Partial<Value> = { ...emptyOf(mapping) };
  for (const [name, { columns, read }] of fieldsOf(mapping)) {
    const [first = "", second] = columns;
    // Most fields have one column, and every row of a listing is read here.
    value[name] = read(second === undefined ? [row[first] ?? null] : columns.map((column) => row[column] ?? null));
  }
  // RowMapping guarantees a field for every property.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as Value;
}

type FieldEntry<Value> = readonly [name: keyof Value, field: Field<Value[keyof Value]>];

// A mapping never changes, and every row needs its fields.
const ENTRIES = new WeakMap<object, readonly unknown[]>();
const EMPTY = new WeakMap<object, object>();

/** An object with all properties of a value, undefined. */
function emptyOf<Value>(mapping: RowMapping<Value>): Partial<Value> {
  let empty = EMPTY.get(mapping);
  if (empty === undefined) {
    empty = Object.fromEntries(Object.keys(mapping).map((name) => [name, undefined]));
    EMPTY.set(mapping, empty);
  }
  return empty;
}

function fieldsOf<Value>(mapping: RowMapping<Value>): readonly FieldEntry<Value>[] {
  let entries = ENTRIES.get(mapping);
  if (entries === undefined) {
    entries = Object.entries(mapping);
    ENTRIES.set(mapping, entries);
  }
  // Object.entries widens property names to string.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return entries as readonly FieldEntry<Value>[];
}

/** A NOT NULL column. */
export function required<Value extends string | number>(column: string): Field<Value> {
  return {
    columns: [column],
    write: (value) => [value],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    read: ([stored]) => stored as Value,
  };
}

/** A column that stores undefined as NULL. */
export function optional<Value extends string | number>(column: string): Field<Value | undefined> {
  return {
    columns: [column],
    write: (value) => [value ?? null],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    read: ([stored]) => (stored ?? undefined) as Value | undefined,
  };
}

/** A column that stores null as NULL. */
export function nullable<Value extends string | number>(column: string): Field<Value | null> {
  return {
    columns: [column],
    write: (value) => [value],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    read: ([stored]) => (stored ?? null) as Value | null,
  };
}

/** A boolean, stored as 0 or 1. */
export function flag(column: string): Field<boolean> {
  return { columns: [column], write: (value) => [value ? 1 : 0], read: ([stored]) => stored === 1 };
}

/** A value that is serialised to text, or to NULL. */
export function text<Value>(
  column: string,
  write: (value: Value) => string | null,
  read: (stored: string | null) => Value,
): Field<Value> {
  return {
    columns: [column],
    write: (value) => [write(value)],
    read: ([stored]) => read(typeof stored === "string" ? stored : null),
  };
}
