// The fields of a change under the names of this release and the one before.
import { describe, expect, it } from "vitest";

import type { DeleteChange } from "../../../src/state/writes/changes.ts";
import { fromWire, toWire } from "../../../src/state/writes/coordinator-wire.ts";

const change: DeleteChange = {
  key: "k",
  observedHead: { versionId: "v", current: undefined },
  conditions: {},
  ownerId: "o",
  precondition: { revision: "r", version: { key: "k", versionId: "v", tags: null, place: "any", referenceId: "b/1" } },
};

describe("a change on its way to a coordinator", () => {
  it("contains the names of this and the previous release", () => {
    expect(toWire(change)).toMatchObject({
      ...change,
      seen: change.observedHead,
      judgement: { revision: "r", version: { holdingId: "b/1", referenceId: "b/1" } },
    });
  });

  it("is read where only the names of the release before are given", () => {
    const { key, conditions, ownerId, observedHead, precondition } = change;
    const { referenceId: _, ...version } = { referenceId: "", ...precondition?.version, holdingId: "b/1" };
    const earlier = { key, conditions, ownerId, seen: observedHead, judgement: { revision: "r", version } };
    // What a Worker of the release before sends.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(fromWire(earlier as unknown as DeleteChange)).toMatchObject({ ...change });
  });

  it("adds nothing where a change has no such field", () => {
    const { precondition: _, ...plain } = change;
    expect(Object.keys(toWire<DeleteChange>(plain)).toSorted()).toEqual([...Object.keys(plain), "seen"].toSorted());
  });
});
