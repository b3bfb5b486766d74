import { describe, expect, it } from "vitest";

import { costOf } from "../support/cost.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { sendForTags, tagResourceOf, tagsPath } from "../support/resource-tags.ts";
import { tagsOf } from "../support/tagging.ts";

describe("TagResource", () => {
  it("sets tags and keeps the others", async () => {
    const bucket = await freshBucket();
    const set = async (tags: Readonly<Record<string, string>>): Promise<Record<string, string>> => {
      const response = await sendForTags("POST", tagsPath(bucket), { body: tagResourceOf(tags) });
      expect(response.status).toBe(204);
      expect(response.body).toBeNull();
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1 });
      return tagsOf(`/${bucket}?tagging`);
    };
    expect(await set({ a: "1", b: "2" })).toEqual({ a: "1", b: "2" });
    expect(await set({ b: "3", c: "4" })).toEqual({ a: "1", b: "3", c: "4" });
  });

  it("keeps all tags of concurrent calls", async () => {
    const bucket = await freshBucket();
    const keys = ["a", "b", "c", "d"];
    const set = (key: string) => sendForTags("POST", tagsPath(bucket), { body: tagResourceOf({ [key]: key }) });
    const answers = await Promise.all(keys.map(set));
    const acknowledged = keys.filter((_, index) => answers[index]?.status === 204);
    expect(acknowledged).not.toEqual([]);
    expect(Object.keys(await tagsOf(`/${bucket}?tagging`)).toSorted()).toEqual(acknowledged);
  });

  it("is rejected when the result has more than ten tags or the request is malformed, and changes nothing", async () => {
    const bucket = await freshBucket();
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`k${index}`, ""]));
    expect((await sendForTags("POST", tagsPath(bucket), { body: tagResourceOf(ten) })).status).toBe(204);
    for (const [body, code] of [
      [tagResourceOf({ more: "" }), "BadRequest"],
      [tagResourceOf({ "aws:a": "" }), "InvalidTag"],
      ["<TagResourceRequest/>", "MalformedXML"],
      ["<Tagging><TagSet/></Tagging>", "MalformedXML"],
      ["", "MalformedXML"],
    ] as const) {
      const response = await sendForTags("POST", tagsPath(bucket), { body });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(`<ErrorResponse><Error><Code>${code}</Code>`);
    }
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual(ten);
  });
});
