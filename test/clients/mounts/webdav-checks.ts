// What a WebDAV client does with files: rclone serves them from the same file system that it mounts.
import assert from "node:assert/strict";
import type { Check } from "../harness.ts";
import { eventually } from "./folder.ts";

/**
 * The checks at a server.
 * @param objectText reads an object as another client
 */
export function webDavChecks(url: string, objectText: (key: string) => Promise<string>): Check[] {
  const request = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, text: await response.text() };
  };
  const assertText = (key: string, expected: string): Promise<void> =>
    eventually(async () => assert.equal(await objectText(key), expected));
  return [
    {
      name: "the bucket is served",
      run: () =>
        eventually(async () => assert.equal((await request("PROPFIND", "", undefined, { depth: "1" })).status, 207)),
    },
    {
      name: "files are stored, replaced, moved, copied and deleted, in folders",
      async run() {
        assert.equal((await request("MKCOL", "folder")).status, 201);
        assert.equal((await request("PUT", "folder/file", "first")).status, 201);
        await assertText("folder/file", "first");
        assert.ok((await request("PUT", "folder/file", "second, longer")).status < 300);
        await assertText("folder/file", "second, longer");
        assert.equal((await request("GET", "folder/file")).text, "second, longer");
        assert.equal(
          (await request("MOVE", "folder/file", undefined, { destination: `${url}/folder/moved` })).status,
          201,
        );
        await assertText("folder/moved", "second, longer");
        assert.equal((await request("COPY", "folder/moved", undefined, { destination: `${url}/copy` })).status, 201);
        await assertText("copy", "second, longer");
        assert.equal((await request("DELETE", "folder/moved")).status, 204);
        await eventually(() => assert.rejects(objectText("folder/moved"), { name: "NoSuchKey" }));
        assert.equal((await request("GET", "folder/moved")).status, 404);
      },
    },
  ];
}
