// The cost of a request, from its Server-Timing header.

/** Calls and rows. */
export interface Cost {
  readonly roundTrips: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly coordinatorCalls: number;
  readonly blobCalls: number;
}

const TIMING =
  /^d1;desc="(\d+) round trips, (\d+) rows read, (\d+) rows written", do;desc="(\d+) calls", blob;desc="(\d+) calls"$/;

/** The cost of a response's request. */
export function costOf(response: Response): Cost {
  const match = TIMING.exec(response.headers.get("server-timing") ?? "");
  if (match === null) throw new Error(`no counts in ${response.headers.get("server-timing") ?? "no Server-Timing"}`);
  const [roundTrips = 0, rowsRead = 0, rowsWritten = 0, coordinatorCalls = 0, blobCalls = 0] = match
    .slice(1)
    .map(Number);
  return { roundTrips, rowsRead, rowsWritten, coordinatorCalls, blobCalls };
}
