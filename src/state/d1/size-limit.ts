// The size of a D1 database. Scripts import this file alone.

/** The bytes that D1 allows one database on the Paid plan. */
export const DATABASE_MAX_BYTES = 10_000_000_000;
