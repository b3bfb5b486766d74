// Appends with aws-chunked bodies, whose checksum follows in a trailer: merged with the object's last part, and in a blob of
// their own.
import { describe, expect, it } from "vitest";

import { expectContent, OFFSET } from "../support/appends.ts";
import { chunkedUpload, cut } from "../support/aws-chunked.ts";
import { deliver, send } from "../support/client.ts";
import { checksum, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { joined } from "../support/multipart.ts";
import { expectNoTrace } from "../support/stored-state.ts";

const CRC32 = "x-amz-checksum-crc32";

describe.each(["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] as const)(
  "an append of %s",
  (form) => {
    it.each([
      ["is merged", 1000, 500],
      ["is streamed behind the bytes that it is merged with", 200_000, 300_000],
      ["has a blob of its own", 300_000, 1000],
    ])("that %s is verified against its trailer", async (_, size, length) => {
      const bucket = await freshBucket();
      const [first, second] = [noise(size), noise(length, 2)];
      await send("PUT", `/${bucket}/k`, { body: first, headers: { [CRC32]: checksum("CRC32", first) } });
      const append = async (value: string): Promise<Response> => {
        const options = { form, pieces: cut(second, 65_536), trailers: { [CRC32]: value } };
        return deliver(await chunkedUpload(`/${bucket}/k`, { ...options, headers: { [OFFSET]: String(size) } }));
      };
      const refused = await expectNoTrace(bucket, async () => append(checksum("CRC32", first)));
      expect(await refused.text()).toContain("<Code>BadDigest</Code>");
      const response = await append(checksum("CRC32", second));
      expect(response.status).toBe(200);
      const whole = joined([first, second]);
      expect(response.headers.get(CRC32)).toBe(checksum("CRC32", whole));
      await expectContent(bucket, "k", whole);
    });
  },
);
