// What Cloudflare bills for, as it is counted around the Worker.

/** Billed units. All but the requests are counted where the Worker meets the platform, background work included. */
export interface Tally {
  readonly requests: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly coordinatorCalls: number;
  readonly classA: number;
  readonly classB: number;
  readonly logEvents: number;
}

export const NOTHING: Tally = {
  requests: 0,
  rowsRead: 0,
  rowsWritten: 0,
  coordinatorCalls: 0,
  classA: 0,
  classB: 0,
  logEvents: 0,
};

/** Adds `times` another tally; -1 subtracts it. */
export function plus(tally: Tally, other: Tally, times = 1): Tally {
  return {
    requests: tally.requests + other.requests * times,
    rowsRead: tally.rowsRead + other.rowsRead * times,
    rowsWritten: tally.rowsWritten + other.rowsWritten * times,
    coordinatorCalls: tally.coordinatorCalls + other.coordinatorCalls * times,
    classA: tally.classA + other.classA * times,
    classB: tally.classB + other.classB * times,
    logEvents: tally.logEvents + other.logEvents * times,
  };
}
