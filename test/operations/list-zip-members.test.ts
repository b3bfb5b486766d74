import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";
import { buildZip } from "../support/zip-builder.ts";

async function storedZip(body: Uint8Array): Promise<string> {
  const path = `/${await freshBucket()}/a%20b.zip`;
  expect((await send("PUT", path, { body })).status).toBe(200);
  return path;
}

async function list(path: string, query = "") {
  const response = await send("GET", `${path}?zip-list${query}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const root = readXml(text);
  return {
    root,
    members: childrenOf(root, "Member"),
    names: childrenOf(root, "Member").map((one) => textOf(one, "Name")),
  };
}

describe("ListZipMembers", () => {
  it("returns the directory", async () => {
    const path = await storedZip(
      buildZip({
        members: [
          { name: "a", content: "text" },
          { name: "ü/b & c", content: "y".repeat(1000), isDeflated: true },
        ],
      }),
    );
    const { root, members } = await list(path);
    expect(root.name).toBe("ListZipMembersResult");
    expect([textOf(root, "Key"), textOf(root, "KeyCount"), textOf(root, "IsTruncated")]).toEqual([
      "a b.zip",
      "2",
      "false",
    ]);
    const rows = members.map((one) =>
      ["Name", "Size", "Method", "CRC32", "LastModified"].map((name) => textOf(one, name)),
    );
    expect(rows).toEqual([
      ["a", "4", "0", "3b8ba7c7", "2026-01-01T12:00:00Z"],
      ["ü/b & c", "1000", "8", expect.stringMatching(/^[0-9a-f]{8}$/), "2026-01-01T12:00:00Z"],
    ]);
    expect(Number(textOf(members[1] ?? root, "CompressedSize"))).toBeLessThan(50);
    expect((await list(path, "&encoding-type=url")).names).toEqual(["a", "%C3%BC/b%20%26%20c"]);
  });

  it("lists in pages, whose tokens belong to the version", async () => {
    const members = Array.from({ length: 1005 }, (_, index) => ({ name: `n${index}`, content: "" }));
    const path = await storedZip(buildZip({ members }));
    const first = await list(path);
    const token = textOf(first.root, "NextContinuationToken") ?? "";
    expect([first.names.length, first.names[0]]).toEqual([1000, "n0"]);
    const second = await list(path, `&continuation-token=${token}&max-keys=3`);
    expect(second.names).toEqual(["n1000", "n1001", "n1002"]);
    expect(textOf(second.root, "IsTruncated")).toBe("true");
    expect((await list(path, "&max-keys=0")).names).toEqual([]);
    await send("PUT", path, { body: buildZip({ members }) });
    await expectS3Error(await send("GET", `${path}?zip-list&continuation-token=${token}`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "continuation-token", ArgumentValue: token },
    });
  });

  it("returns 400 for an object that is no ZIP", async () => {
    const path = await storedZip(new TextEncoder().encode("no ZIP, but longer than an end record"));
    await expectS3Error(await send("GET", `${path}?zip-list`), { status: 400, code: "InvalidRequest" });
  });
});
