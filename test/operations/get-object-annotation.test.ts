import { describe, expect, it } from "vitest";

import { annotate, annotatedBucket, annotationTarget, namesOf, payloadOf } from "../support/annotations.ts";
import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

describe("GetObjectAnnotation: annotations", () => {
  it.each(["\ufefftext", "a\nb\tc", "\u{1f600}"])("keep %j exactly", async (text) => {
    const bucket = await annotatedBucket();
    await annotate(`${bucket}/k`, "a", text);
    const read = new Uint8Array(await (await send("GET", annotationTarget(`${bucket}/k`, "a"))).arrayBuffer());
    expect(read).toEqual(new TextEncoder().encode(text));
  });

  it("belong to one version", async () => {
    const bucket = await versionedBucket();
    const at = `${bucket}/k`;
    const versionId = await putVersion(bucket, "k", "1");
    await annotate(at, "a", "old");
    await putVersion(bucket, "k", "2");
    expect(await payloadOf(at, "a")).toBe(404);
    expect(await payloadOf(at, "a", `&versionId=${versionId}`)).toBe("old");
    await annotate(at, "b", "on the older one", `&versionId=${versionId}`);
    expect((await namesOf(at, `&versionId=${versionId}`)).names).toEqual(["a", "b"]);
    await deleteKey(bucket, "k");
    await expectS3Error(await send("GET", annotationTarget(at, "a")), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "k" },
    });
    expect(await payloadOf(at, "a", `&versionId=${versionId}`)).toBe("old");
  });
});
