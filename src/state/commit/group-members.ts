// Chooses the changes that share a batch: those whose keys are apart, so that their statements do the same in any order.
import type { Statement } from "../d1/database.ts";
import { isJoinable } from "../d1/joined-statements.ts";
import type { ExpectedHeads } from "./commit.ts";

/** What decides whether a change may join a group. */
interface Candidate {
  readonly expectedHeads: ExpectedHeads;
  readonly readKeys: readonly string[];
  readonly statements: readonly Statement[];
}

const MAX_MEMBERS = 50;
// A group's parameters stay far below the 2 MB that D1 accepts.
const MAX_CHARACTERS = 500_000;
// Statements that cannot be joined. D1 counts each statement of a batch against the limits of one invocation.
const MAX_STATEMENTS = 100;

/**
 * Takes the oldest waiting changes that fit into one batch out of the list, at least one. A change that writes a key which
 * another one of the group reads or writes, or reads one that another writes, stays for a later group.
 */
export function takeGroup<Waiting extends { readonly member: Candidate }>(waiting: Waiting[]): readonly Waiting[] {
  const written = new Set<string>();
  const read = new Set<string>();
  const group: Waiting[] = [];
  const left: Waiting[] = [];
  let characters = 0;
  let statements = 0;
  for (const [index, one] of waiting.entries()) {
    const { member } = one;
    if (isApart(member, written, read)) {
      characters += charactersOf(member);
      statements += isJoinable(member.statements) ? 0 : member.statements.length;
      const isFull = characters > MAX_CHARACTERS || statements > MAX_STATEMENTS || group.length === MAX_MEMBERS;
      if (group.length > 0 && isFull) {
        left.push(...waiting.slice(index));
        break;
      }
      for (const key of member.expectedHeads.keys()) written.add(key);
      for (const key of member.readKeys) read.add(key);
      group.push(one);
    } else {
      left.push(one);
    }
  }
  waiting.splice(0, waiting.length, ...left);
  return group;
}

function isApart(
  { expectedHeads, readKeys }: Candidate,
  written: ReadonlySet<string>,
  read: ReadonlySet<string>,
): boolean {
  for (const key of expectedHeads.keys()) if (written.has(key) || read.has(key)) return false;
  return !readKeys.some((key) => written.has(key));
}

function charactersOf({ statements }: Candidate): number {
  const parameters = statements.flatMap((one) => one.parameters);
  return parameters.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
}
