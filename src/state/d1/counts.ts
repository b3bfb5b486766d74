// Counts the calls and rows that a request costs. Budgets are asserted on these counts, because clocks vary.

/** The calls and rows counted so far. */
export interface CountSnapshot {
  readonly d1RoundTrips: number;
  readonly d1RowsRead: number;
  readonly d1RowsWritten: number;
  readonly coordinatorCalls: number;
  readonly blobCalls: number;
}

/** The running counts of one request. */
export class Counts {
  #d1RoundTrips = 0;
  #d1Queries = 0;
  #d1RowsRead = 0;
  #d1RowsWritten = 0;
  #coordinatorCalls = 0;
  #blobCalls = 0;

  /** Counts one batch of `queries` statements. */
  addD1RoundTrip(queries: number): void {
    this.#d1RoundTrips += 1;
    this.#d1Queries += queries;
  }

  /** The statements that this invocation has sent to D1. The platform limits their number per invocation. */
  get d1Queries(): number {
    return this.#d1Queries;
  }

  addD1Rows(read: number, written: number): void {
    this.#d1RowsRead += read;
    this.#d1RowsWritten += written;
  }

  addCoordinatorCall(): void {
    this.#coordinatorCalls += 1;
  }

  addBlobCalls(calls: number): void {
    this.#blobCalls += calls;
  }

  /** Adds the counts of a coordinator call. */
  add(other: CountSnapshot): void {
    this.#d1RoundTrips += other.d1RoundTrips;
    this.#d1RowsRead += other.d1RowsRead;
    this.#d1RowsWritten += other.d1RowsWritten;
    this.#coordinatorCalls += other.coordinatorCalls;
    this.#blobCalls += other.blobCalls;
  }

  snapshot(): CountSnapshot {
    return {
      d1RoundTrips: this.#d1RoundTrips,
      d1RowsRead: this.#d1RowsRead,
      d1RowsWritten: this.#d1RowsWritten,
      coordinatorCalls: this.#coordinatorCalls,
      blobCalls: this.#blobCalls,
    };
  }
}
