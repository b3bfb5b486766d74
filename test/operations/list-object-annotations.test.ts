import { describe, expect, it } from "vitest";

import { annotate, annotatedBucket, namesOf } from "../support/annotations.ts";

describe("ListObjectAnnotations: annotations", () => {
  it("are listed in pages", async () => {
    const bucket = await annotatedBucket();
    for (const name of ["a", "b", "c"]) await annotate(`${bucket}/k`, name, name);
    const first = await namesOf(`${bucket}/k`, "&max-annotation-results=2");
    expect(first.names).toEqual(["a", "b"]);
    const token = encodeURIComponent(first.next ?? "");
    const second = await namesOf(`${bucket}/k`, `&max-annotation-results=2&continuation-token=${token}`);
    expect(second).toEqual({ names: ["c"], next: undefined });
  });
});
