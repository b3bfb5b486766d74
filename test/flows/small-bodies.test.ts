// Bodies up to 128 KiB are read into memory, longer ones are streamed: both are verified and stored in the same way.
import { beforeAll, describe, expect, it } from "vitest";

import { SMALL_BODY_MAX_BYTES } from "../../src/state/blobs/small-body.ts";
import { chunkedUpload } from "../support/aws-chunked.ts";
import { deliver, send } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, expectBytes, md5Base64, noise, sha256Hex } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";

const LENGTHS = [0, 1, 1024, SMALL_BODY_MAX_BYTES - 1, SMALL_BODY_MAX_BYTES, SMALL_BODY_MAX_BYTES + 1];

let bucket = "";
beforeAll(async () => {
  bucket = await freshBucket();
});

describe.each(LENGTHS)("a body of %i bytes", (length) => {
  const body = noise(length);
  const wrong = noise(length + 1);
  const target = (): string => `/${bucket}/${length}`;

  it("has the default checksum, its ETag and its bytes", async () => {
    const response = await send("PUT", target(), { body });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", body));
    await expectBytes(await send("GET", target()), body);
  });

  it.each(ALGORITHMS)("is verified by its %s in a header", async (algorithm) => {
    const header = checksumHeader(algorithm);
    const right = await send("PUT", target(), { body, headers: { [header]: checksum(algorithm, body) } });
    expect(right.status).toBe(200);
    expect((await send("HEAD", target(), { headers: { "x-amz-checksum-mode": "ENABLED" } })).headers.get(header)).toBe(
      checksum(algorithm, body),
    );
    const response = await expectUntouched(bucket, () =>
      send("PUT", target(), { body, headers: { [header]: checksum(algorithm, wrong) } }),
    );
    await expectS3Error(response, { status: 400, code: "BadDigest" });
  });

  it.each(ALGORITHMS)("is verified by its %s in a trailer", async (algorithm) => {
    const upload = (value: string) =>
      chunkedUpload(target(), {
        form: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        pieces: length === 0 ? [] : [body],
        trailers: { [checksumHeader(algorithm)]: value },
      });
    expect((await deliver(await upload(checksum(algorithm, body)))).status).toBe(200);
    await expectBytes(await send("GET", target()), body);
    const refused = await upload(checksum(algorithm, wrong));
    await expectS3Error(await expectUntouched(bucket, () => deliver(refused)), { status: 400, code: "BadDigest" });
    const malformed = await upload("AAAA");
    await expectS3Error(await expectUntouched(bucket, () => deliver(malformed)), {
      status: 400,
      code: "InvalidRequest",
    });
  });

  it("is verified by Content-MD5 and by its signed SHA-256", async () => {
    const right = { "content-md5": md5Base64(body), "x-amz-content-sha256": sha256Hex(body) };
    expect((await send("PUT", target(), { body, headers: right })).status).toBe(200);
    for (const [headers, code] of [
      [{ "content-md5": md5Base64(wrong) }, "BadDigest"],
      [{ "x-amz-content-sha256": sha256Hex(wrong) }, "XAmzContentSHA256Mismatch"],
    ] as const) {
      const response = await expectUntouched(bucket, () => send("PUT", target(), { body, headers }));
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(`<Code>${code}</Code>`);
    }
  });
});
