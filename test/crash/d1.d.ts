// What of D1's binding the checker uses, for a program without the Workers runtime's types.
interface D1PreparedStatement {
  bind(...values: unknown[]): D1PreparedStatement;
}
interface D1Result {
  readonly results: readonly unknown[];
  readonly meta: {
    readonly rows_read: number;
    readonly rows_written: number;
    readonly changes: number;
    readonly size_after: number;
  };
}
interface D1Database {
  prepare(sql: string): D1PreparedStatement;
  batch(statements: D1PreparedStatement[]): Promise<D1Result[]>;
}
