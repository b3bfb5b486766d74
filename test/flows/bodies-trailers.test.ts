// Trailers of aws-chunked upload bodies: checksums, malformed and duplicate trailers.
import { describe, expect, it } from "vitest";

import { ALGORITHMS, checksum, checksumHeader, utf8 } from "../support/digests.ts";
import { BODY, FORMS, PIECES, expectRefused, expectStored } from "./bodies-fixture.ts";

const TRAILING = FORMS.filter((form) => form.endsWith("-TRAILER"));

describe.each(TRAILING)("the trailers of %s", (form) => {
  it.each(ALGORITHMS)("carry %s, which is verified, stored and returned", async (algorithm) => {
    const name = checksumHeader(algorithm);
    const value = checksum(algorithm, BODY);
    const headers = { "x-amz-sdk-checksum-algorithm": algorithm };
    const response = await expectStored({ form, pieces: PIECES, headers, trailers: { [name]: value } });
    expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get("x-amz-checksum-type")).toBe("FULL_OBJECT");
    await expectRefused(
      { form, pieces: PIECES, trailers: { [name]: checksum(algorithm, utf8("other")) } },
      {
        status: 400,
        code: "BadDigest",
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      },
    );
  });

  it("return InvalidRequest for a malformed value", async () => {
    for (const value of ["", "AAAA", "!!!!!!==", `${checksum("CRC32", BODY)},${checksum("CRC32", BODY)}`]) {
      await expectRefused(
        { form, pieces: PIECES, trailers: { "x-amz-checksum-crc32": value } },
        { status: 400, code: "InvalidRequest", message: "Value for x-amz-checksum-crc32 header is invalid." },
      );
    }
  });

  const crc32 = { "x-amz-checksum-crc32": checksum("CRC32", BODY) };

  it.each([
    ["announced and do not come", { trailers: {}, announced: "x-amz-checksum-crc32" }],
    ["come and were not announced", { trailers: crc32, announced: "" }],
    ["come under another name than announced", { trailers: crc32, announced: "x-amz-checksum-crc32c" }],
    [
      "come with others that were not announced",
      { trailers: { ...crc32, "x-amz-meta-a": "1" }, announced: "x-amz-checksum-crc32" },
    ],
  ])("are refused as MalformedTrailerError where they are %s", async (_what, options) => {
    await expectRefused({ form, pieces: PIECES, ...options }, { status: 400, code: "MalformedTrailerError" });
  });

  it("return MalformedTrailerError for a duplicate, an invalid or an unterminated trailer", async () => {
    const line = `x-amz-checksum-crc32:${checksum("CRC32", BODY)}\r\n`;
    for (const spoilBody of [
      (text: string) => text.replace(line, line + line),
      (text: string) => text.replace(line, "no colon\r\n"),
      (text: string) => text.replace(line, ":no name\r\n"),
      (text: string) => text.replace(line, `x-amz-checksum-crc32:${"A".repeat(100_000)}\r\n`),
    ]) {
      await expectRefused(
        { form, pieces: PIECES, trailers: crc32, spoilBody },
        { status: 400, code: "MalformedTrailerError" },
      );
    }
  });

  it("are optional: without them a CRC64NVME is stored", async () => {
    const response = await expectStored({ form, pieces: PIECES });
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", BODY));
  });

  it("accept any case and spaces around their value", async () => {
    const [name, value] = ["x-amz-checksum-crc32", checksum("CRC32", BODY)];
    const spoilBody = (text: string) => text.replace(`${name}:${value}`, `X-Amz-Checksum-CRC32: ${value} `);
    await expectStored({ form, pieces: PIECES, trailers: { [name]: value }, spoilBody });
  });

  it("are rejected together with a checksum header, and with two algorithms", async () => {
    const expected = {
      status: 400,
      code: "InvalidRequest",
      message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    };
    const headers = { "x-amz-checksum-crc32c": checksum("CRC32C", BODY) };
    await expectRefused({ form, pieces: PIECES, trailers: crc32, headers }, expected);
    await expectRefused({ form, pieces: PIECES, trailers: { ...crc32, ...headers } }, expected);
  });
});
