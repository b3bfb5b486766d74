import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { parseNewBucketConfiguration, readNewObjectLock } from "../../../src/protocol/buckets/bucket-configuration.ts";
import { expectRefusal, requestFor } from "./support.ts";

const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const configuration = (content: string) => utf8(`<CreateBucketConfiguration>${content}</CreateBucketConfiguration>`);

describe("a LocationConstraint", () => {
  it.each([
    ["", undefined],
    ["<LocationConstraint/>", undefined],
    ["<LocationConstraint></LocationConstraint>", undefined],
    ["<LocationConstraint> </LocationConstraint>", undefined],
    ["<LocationConstraint>us-west-2</LocationConstraint>", "us-west-2"],
    ["<LocationConstraint>EU</LocationConstraint>", "EU"],
    ["\n  <LocationConstraint>\n    auto\n  </LocationConstraint>\n", "auto"],
    [`<LocationConstraint>${"a".repeat(64)}</LocationConstraint>`, "a".repeat(64)],
  ])("is read from %j", (content, region) =>
    expect(parseNewBucketConfiguration(configuration(content)).locationConstraint).toBe(region),
  );

  it("is optional, with its document", () =>
    expect(parseNewBucketConfiguration(new Uint8Array()).locationConstraint).toBeUndefined());

  it("is parsed with any namespace and declaration", () => {
    const content = "<LocationConstraint>auto</LocationConstraint>";
    for (const document of [
      `<?xml version="1.0" encoding="UTF-8"?>\n<CreateBucketConfiguration ${NAMESPACE}>${content}</CreateBucketConfiguration>`,
      `\ufeff<CreateBucketConfiguration xmlns="urn:x">${content}</CreateBucketConfiguration>`,
    ]) {
      expect(parseNewBucketConfiguration(utf8(document)).locationConstraint).toBe("auto");
    }
  });

  it.each(["a", "a".repeat(65), "us_west", "us west", "us/west", "../x", "é1", "a&amp;b", "&lt;script&gt;"])(
    "is rejected when it is no region name: %s",
    (text) =>
      expectRefusal(
        () => parseNewBucketConfiguration(configuration(`<LocationConstraint>${text}</LocationConstraint>`)),
        "InvalidLocationConstraint",
        400,
      ),
  );

  it.each([
    ["another root", utf8("<Configuration/>")],
    ["no XML", utf8("us-west-2")],
    ["JSON", utf8("{}")],
    ["an unknown element", configuration("<Region>x</Region>")],
    [
      "two of them",
      configuration("<LocationConstraint>a1</LocationConstraint><LocationConstraint>b1</LocationConstraint>"),
    ],
  ])("is refused in a document with %s", (_what, document) =>
    expectRefusal(() => parseNewBucketConfiguration(document), "MalformedXML", 400),
  );

  it.each(["Location", "Bucket"])("is not the only element of a configuration: %s is not implemented", (name) =>
    expectRefusal(() => parseNewBucketConfiguration(configuration(`<${name}/>`)), "NotImplemented", 501, {
      fields: { Header: name },
    }),
  );
});

describe("the Object Lock header of a new bucket", () => {
  const read = (headers: Readonly<Record<string, string>>) => readNewObjectLock(requestFor("PUT", "/bucket", headers));
  const name = "x-amz-bucket-object-lock-enabled";

  it("enables it only with true", () => {
    expect(read({})).toBe(false);
    for (const value of ["false", "False"]) expect(read({ [name]: value })).toBe(false);
    for (const value of ["true", "True"]) expect(read({ [name]: value })).toBe(true);
  });

  it.each(["", "no", "1"])("is rejected with the value %j", (value) =>
    expectRefusal(() => read({ [name]: value }), "InvalidArgument", 400, {
      fields: { ArgumentName: name, ArgumentValue: value },
    }),
  );
});
