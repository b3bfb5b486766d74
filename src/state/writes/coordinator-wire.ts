// The wire format between Workers and coordinators, which are of different releases while a deployment replaces them. A
// change also has the field names of the previous release, so that no guard is lost between the two.
import type { ActionPrecondition } from "../commit/lifecycle-guard.ts";
import type { DeleteChange, PurgeChange, PutChange } from "./changes.ts";

type Change = PutChange | DeleteChange | PurgeChange;

/** The current name of each field with its name in the release before. */
const FIELDS = { observedHead: "seen", expectedHeads: "witnesses", precondition: "judgement" } as const;

/** Adds the names of the release before to a change that goes to a coordinator. */
export function toWire<Sent extends Change>(change: Sent): Sent {
  const added: Record<string, unknown> = {};
  for (const [current, earlier] of Object.entries(FIELDS)) {
    const value: unknown = Reflect.get(change, current);
    if (value !== undefined) added[earlier] = current === "precondition" ? withBothReferences(value) : value;
  }
  return { ...change, ...added };
}

/** Reads a change that a Worker of this release or the one before has sent. */
export function fromWire<Received extends Change>(change: Received): Received {
  const added: Record<string, unknown> = {};
  for (const [current, earlier] of Object.entries(FIELDS)) {
    const value: unknown = Reflect.get(change, current) ?? Reflect.get(change, earlier);
    if (value !== undefined) added[current] = current === "precondition" ? withBothReferences(value) : value;
  }
  return { ...change, ...added };
}

/** What a version refers to was its `holdingId`. */
function withBothReferences(precondition: unknown): unknown {
  // What either release sends.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { revision, version } = precondition as ActionPrecondition;
  const referenceId: unknown = Reflect.get(version, "referenceId") ?? Reflect.get(version, "holdingId");
  if (referenceId === undefined) return precondition;
  return { revision, version: { ...version, referenceId, holdingId: referenceId } };
}
