// Evaluates the conditions of changes on the heads of their keys.
import { refuseWrite, type WriteConditions, type WriteRefusal } from "../../protocol/objects/conditions.ts";
import { NO_HEAD, type KeyHead } from "../commit/heads.ts";

/** What conditions are evaluated on. */
export interface AnyChange {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
}

/**
 * Evaluates each change's conditions. For the second change of a key, the first one has deleted the current version.
 */
export function evaluateConditions(
  changes: readonly AnyChange[],
  heads: ReadonlyMap<string, KeyHead>,
): (WriteRefusal | undefined)[] {
  const keys = new Set<string>();
  return changes.map(({ key, observedHead, conditions }) => {
    const current = keys.has(key) ? undefined : (heads.get(key) ?? NO_HEAD).current;
    const refusal = refuseWrite(conditions, key, observedHead.current, current);
    if (refusal === undefined) keys.add(key);
    return refusal;
  });
}
