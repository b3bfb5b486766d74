import { describe, expect, it } from "vitest";

import { annotate, annotationTarget, payloadOf } from "../support/annotations.ts";
import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { legalHoldHeaders, lockedBucket, putLocked, retentionHeaders } from "../support/object-lock.ts";

describe("DeleteObjectAnnotation: annotations", () => {
  it("are not deleted under a lock, unless a governance retention is bypassed", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", retentionHeaders("GOVERNANCE", 1));
    await putLocked(bucket, "c", retentionHeaders("COMPLIANCE", 1));
    await putLocked(bucket, "h", legalHoldHeaders("ON"));
    const bypass = { headers: { "x-amz-bypass-governance-retention": "true" } };
    for (const key of ["k", "c", "h"]) {
      await annotate(`${bucket}/${key}`, "a", "1");
      const denied = { status: 403, code: "AccessDenied" };
      await expectS3Error(await send("DELETE", annotationTarget(`${bucket}/${key}`, "a")), denied);
      const response = await send("DELETE", annotationTarget(`${bucket}/${key}`, "a"), bypass);
      if (key === "k") expect(response.status).toBe(204);
      else await expectS3Error(response, denied);
      expect(await payloadOf(`${bucket}/${key}`, "a")).toBe(key === "k" ? 404 : "1");
    }
  });
});
