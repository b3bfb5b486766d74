// Computes the lines in which two texts differ, by Myers' algorithm: the fewest additions and removals of lines. Long runs
// of equal lines are folded.
export interface DiffLine {
  readonly kind: "added" | "removed" | "same" | "skipped";
  readonly text: string;
  /** How many equal lines are folded here. */
  readonly skipped?: number;
}

/** Texts that differ in more lines show as replaced, because the search takes the square of this number. */
const DIFFERENCES_MAX = 2000;
/** Equal lines that are kept around a difference. */
const CONTEXT = 3;

export function diffLines(older: string, newer: string): DiffLine[] {
  const [from, to] = [older.split(/\r?\n/), newer.split(/\r?\n/)];
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end += 1;
  return folded([
    ...same(from.slice(0, start)),
    ...shortestWay(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...same(end === 0 ? [] : from.slice(-end)),
  ]);
}

function same(lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ kind: "same", text }));
}

function shortestWay(from: readonly string[], to: readonly string[]): DiffLine[] {
  // The furthest point on each diagonal, for each number of differences.
  const traces: Map<number, number>[] = [];
  let reached = new Map<number, number>([[1, 0]]);
  for (let differences = 0; differences <= Math.min(from.length + to.length, DIFFERENCES_MAX); differences += 1) {
    traces.push(reached);
    const next = new Map<number, number>();
    for (let diagonal = -differences; diagonal <= differences; diagonal += 2) {
      let x = isDown(reached, diagonal, differences) ? at(reached, diagonal + 1) : at(reached, diagonal - 1) + 1;
      while (x < from.length && x - diagonal < to.length && from[x] === to[x - diagonal]) x += 1;
      next.set(diagonal, x);
      if (x >= from.length && x - diagonal >= to.length) return wayBack(from, to, traces);
    }
    reached = next;
  }
  return [
    ...from.map((text): DiffLine => ({ kind: "removed", text })),
    ...to.map((text): DiffLine => ({ kind: "added", text })),
  ];
}

function wayBack(from: readonly string[], to: readonly string[], traces: readonly Map<number, number>[]): DiffLine[] {
  const lines: DiffLine[] = [];
  let [x, y] = [from.length, to.length];
  for (let differences = traces.length - 1; differences >= 0; differences -= 1) {
    const reached = traces[differences] ?? new Map<number, number>();
    const diagonal = x - y;
    const before = isDown(reached, diagonal, differences) ? diagonal + 1 : diagonal - 1;
    const beforeX = at(reached, before);
    const beforeY = beforeX - before;
    while (x > beforeX && y > beforeY && x > 0 && y > 0) {
      lines.push({ kind: "same", text: from[x - 1] ?? "" });
      x -= 1;
      y -= 1;
    }
    if (differences === 0) break;
    if (x === beforeX) lines.push({ kind: "added", text: to[y - 1] ?? "" });
    else lines.push({ kind: "removed", text: from[x - 1] ?? "" });
    [x, y] = [beforeX, beforeY];
  }
  return lines.toReversed();
}

function isDown(reached: ReadonlyMap<number, number>, diagonal: number, differences: number): boolean {
  return (
    diagonal === -differences || (diagonal !== differences && at(reached, diagonal - 1) < at(reached, diagonal + 1))
  );
}

function at(reached: ReadonlyMap<number, number>, diagonal: number): number {
  return reached.get(diagonal) ?? -1;
}

function folded(lines: readonly DiffLine[]): DiffLine[] {
  const isNear = new Set<number>();
  for (const [index, { kind }] of lines.entries()) {
    if (kind === "same") continue;
    for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) isNear.add(near);
  }
  const shown: DiffLine[] = [];
  let skipped = 0;
  const endFold = (): void => {
    if (skipped > 0) shown.push({ kind: "skipped", text: "", skipped });
    skipped = 0;
  };
  for (const [index, line] of lines.entries()) {
    if (!isNear.has(index)) {
      skipped += 1;
      continue;
    }
    endFold();
    shown.push(line);
  }
  endFold();
  return shown;
}
