// Decides whether a recorded history has a sequential order: the search of Wing and Gong with Lowe's cache of
// configurations. It knows nothing of S3.

/** A request as seen from outside. Times are of one monotonic clock. */
export interface Operation<State> {
  readonly name: string;
  readonly invokedAt: number;
  /** Infinity when the outcome is unknown: it may have taken effect at any time since, or never. */
  readonly returnedAt: number;
  /** The state after it, given the one before; undefined when its response contradicts that state. */
  readonly step: (state: State) => State | undefined;
}

// A longer search shows a history that is too concurrent to be decided.
const MAX_CONFIGURATIONS = 2_000_000;

/**
 * Looks for an order in which every operation takes effect between its call and its return. @param show a text that
 * identifies a state @returns the longest part of such an order, and whether it is complete
 */
export function linearize<State>(
  history: readonly Operation<State>[],
  initial: State,
  show: (state: State) => string,
): { readonly isLinearizable: boolean; readonly longest: readonly string[] } {
  const operations = history.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const due = operations.filter(({ returnedAt }) => returnedAt !== Infinity).length;
  const visited = new Set<string>();
  let longest: readonly string[] = [];

  const search = (done: bigint, doneDue: number, state: State, order: readonly string[]): boolean => {
    if (order.length > longest.length) longest = order;
    if (doneDue === due) return true;
    const configuration = `${done.toString(36)} ${show(state)}`;
    if (visited.has(configuration)) return false;
    visited.add(configuration);
    if (visited.size > MAX_CONFIGURATIONS) throw new Error("the history is too concurrent to be decided");
    // An operation that was called after another pending one returned cannot come before that one.
    let deadline = Infinity;
    for (const [index, { invokedAt, returnedAt }] of operations.entries()) {
      if (invokedAt > deadline) break;
      if (!isDone(done, index)) deadline = Math.min(deadline, returnedAt);
    }
    for (const [index, { name, invokedAt, returnedAt, step }] of operations.entries()) {
      if (invokedAt > deadline) break;
      if (isDone(done, index)) continue;
      const next = step(state);
      if (next === undefined) continue;
      const nowDue = doneDue + (returnedAt === Infinity ? 0 : 1);
      if (search(done | (1n << BigInt(index)), nowDue, next, [...order, `${name} => ${show(next)}`])) return true;
    }
    return false;
  };

  const isLinearizable = search(0n, 0, initial, []);
  return { isLinearizable, longest };
}

function isDone(done: bigint, index: number): boolean {
  return ((done >> BigInt(index)) & 1n) === 1n;
}
