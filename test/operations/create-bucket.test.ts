import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";

describe("CreateBucket", () => {
  it("creates a bucket and names it in Location", async () => {
    const response = await send("PUT", "/first-bucket");
    expect(await response.text()).toBe("");
    expect(response.status).toBe(200);
    expect(response.headers.get("location")).toBe("/first-bucket");
  });
});
