// Joins statements that do the same for different keys. A statement that takes a JSON list names that parameter; several
// that differ only there are one statement with all entries.
import { statement, type SqlValue, type Statement } from "./database.ts";

/**
 * Creates a statement that works on a list.
 * @param list its entries, or their JSON array
 * @param others the other parameters. `?1` is the list, so that `?2` is the first of them
 */
export function listStatement(
  sql: string,
  list: readonly unknown[] | string,
  ...others: readonly SqlValue[]
): Statement {
  return { ...statement(sql, typeof list === "string" ? list : JSON.stringify(list), ...others), takesList: true };
}

/** Creates a {@link listStatement} whose last parameter is a time that may be some milliseconds later. */
export function timedListStatement(
  sql: string,
  list: readonly unknown[] | string,
  ...others: readonly [...SqlValue[], time: number]
): Statement {
  return { ...listStatement(sql, list, ...others), endsWithTime: true };
}

/** Whether all statements of a batch can take lists, so that it can be joined with its like. */
export function isJoinable(statements: readonly Statement[]): boolean {
  return statements.every(({ takesList, asList }) => takesList === true || asList !== undefined);
}

/**
 * Returns statements that do what all batches do, one after the other. Batches that do the same step by step, with lists
 * of different keys, become one batch that does each step for all of them.
 */
export function joinBatches(batches: readonly (readonly Statement[])[]): Statement[] {
  const kinds: (readonly Statement[])[][] = [];
  for (const statements of batches) {
    const isListed = isJoinable(statements);
    const batch = isListed ? statements.map((one) => one.asList?.() ?? one) : statements;
    const kind = isListed ? kinds.find(([first]) => first !== undefined && isAlike(first, batch)) : undefined;
    if (kind === undefined) kinds.push([batch]);
    else kind.push(batch);
  }
  return kinds.flatMap(joinSteps);
}

function isAlike(first: readonly Statement[], second: readonly Statement[]): boolean {
  return (
    first.length === second.length &&
    first.every((step, index) => {
      const other = second[index];
      return (
        other?.takesList === true &&
        step.takesList === true &&
        step.sql === other.sql &&
        step.parameters.every((value, at) => isVariable(step, at) || value === other.parameters[at])
      );
    })
  );
}

/** Whether joined statements may differ in a parameter. */
function isVariable({ parameters, endsWithTime }: Statement, at: number): boolean {
  return at === 0 || (endsWithTime === true && at === parameters.length - 1);
}

function joinSteps(batches: readonly (readonly Statement[])[]): readonly Statement[] {
  const [first = []] = batches;
  if (batches.length === 1) return first;
  return first.map((step, index) => {
    const alike = batches.flatMap((batch) => batch[index] ?? []);
    const lists = alike.map(({ parameters: [json] }) => String(json).slice(1, -1)).filter((entries) => entries !== "");
    const times = alike.map(({ parameters }) => Number(parameters.at(-1)));
    const others = step.parameters.slice(1, step.endsWithTime === true ? -1 : undefined);
    const time = step.endsWithTime === true ? [Math.max(...times)] : [];
    return statement(step.sql, `[${lists.join(",")}]`, ...others, ...time);
  });
}
