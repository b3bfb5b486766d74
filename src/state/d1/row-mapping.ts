// How values are stored in the columns of a row: one entry per field says which columns hold it and how it is written
// and read. Column lists, parameters and row readers all come from that mapping.
import type { SqlValue } from "./database.ts";

/** One field of a value: its columns, in order, and the conversion in both directions. */
export interface Field<Value> {
  readonly columns: readonly string[];
  /** One parameter per column. */
  readonly write: (value: Value) => readonly SqlValue[];
  /** Takes what `write` returned, as D1 gives it back. */
  readonly read: (stored: readonly unknown[]) => Value;
}

/** A field for every property of a value. The compiler refuses a mapping that misses one. */
export type RowMapping<Value> = { readonly [Name in keyof Value]-?: Field<Value[Name]> };

/** A row as D1 returns it. */
export type Row = Readonly<Record<string, unknown>>;

/** The names of all columns, in the order of the mapping. */
export function columnsOf<Value>(mapping: RowMapping<Value>): readonly string[] {
  return fieldsOf(mapping).flatMap(([, field]) => field.columns);
}

/** A list for SELECT, with the table under an alias. */
export function selectList<Value>(mapping: RowMapping<Value>, alias: string): string {
  return columnsOf(mapping)
    .map((column) => `${alias}.${column}`)
    .join(", ");
}

/** The parameters that store a value, in the order of {@link columnsOf}. */
export function parametersOf<Value>(mapping: RowMapping<Value>, value: Value): readonly SqlValue[] {
  return fieldsOf(mapping).flatMap(([name, field]) => field.write(value[name]));
}

/** Reads a value back from a row that has all columns of the mapping. */
export function valueFromRow<Value>(mapping: RowMapping<Value>, row: Row): Value {
  const properties = fieldsOf(mapping).map(([name, { columns, read }]) => [
    name,
    read(columns.map((column) => row[column] ?? null)),
  ]);
  // The mapping has a field for every property of the value.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(properties) as Value;
}

function fieldsOf<Value>(mapping: RowMapping<Value>): [keyof Value, Field<Value[keyof Value]>][] {
  // Object.entries forgets which names an object has.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.entries(mapping) as [keyof Value, Field<Value[keyof Value]>][];
}

/** A column that is never null. The type of what is read is that of what was written. */
export function required<Value extends string | number>(column: string): Field<Value> {
  return {
    columns: [column],
    write: (value) => [value],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    read: ([stored]) => stored as Value,
  };
}

/** A column that is null for undefined. */
export function optional<Value extends string | number>(column: string): Field<Value | undefined> {
  return {
    columns: [column],
    write: (value) => [value ?? null],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    read: ([stored]) => (stored ?? undefined) as Value | undefined,
  };
}

/** A column whose value may be null. */
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

/** A value that is stored as text of its own form; null where there is nothing to store. */
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
