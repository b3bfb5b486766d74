import { expect, it } from "vitest";

import { readObjectQuery } from "../../../src/protocol/listings/object-query.ts";
import { parseQuery } from "../../../src/protocol/core/query.ts";

it.each(["query&suffix=a&suffix=a", "query&tag.a=1&tag.a=2", "query&meta.a=1&meta.A=1", "query=x", "query&query"])(
  "refuses %s",
  (text) => {
    expect(() => readObjectQuery(parseQuery(text))).toThrow(expect.objectContaining({ code: "InvalidArgument" }));
  },
);

it("ignores the parameters of presigned URLs and of SDKs", () => {
  const presigned = "X-Amz-Algorithm=a&X-Amz-Signature=b&x-id=QueryBucket";
  expect(readObjectQuery(parseQuery(`query&${presigned}`))).toEqual(readObjectQuery(parseQuery("query")));
});
