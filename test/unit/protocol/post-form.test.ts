import { describe, expect, it } from "vitest";

import { DelimitedReader } from "../../../src/protocol/forms/form-delimiter.ts";
import { FormFile } from "../../../src/protocol/forms/form-file.ts";
import { FIELDS_MAX_BYTES, readPostForm } from "../../../src/protocol/forms/post-form.ts";
import { formOf } from "../../support/forms.ts";
import { rejectionOf } from "./support.ts";

const ANY_SIZE = { least: 0, most: Number.POSITIVE_INFINITY };

function readerOf(body: Uint8Array): DelimitedReader {
  const pieces = [body];
  return new DelimitedReader({ read: () => Promise.resolve(pieces.shift()) }, "b");
}

async function fieldsOf(parts: Parameters<typeof formOf>[0]): Promise<Record<string, string>> {
  const fields = await readPostForm(readerOf(formOf(parts, { boundary: "b" })));
  return Object.fromEntries(fields.entries().map(({ name, value }) => [name, value]));
}

describe("a form's fields", () => {
  it("are those before the file", async () => {
    expect(
      await fieldsOf([
        ["key", "a"],
        ["file", "content"],
        ["acl", "private"],
      ]),
    ).toEqual({ key: "a" });
    expect(
      await fieldsOf([
        ["FILE", "content"],
        ["key", "a"],
      ]),
    ).toEqual({});
  });

  it("are preserved literally, including line breaks", async () => {
    expect(
      await fieldsOf([
        ["key", "a\r\n\r\nb—\u{1f600} "],
        ["empty", ""],
        ["file", ""],
      ]),
    ).toEqual({
      key: "a\r\n\r\nb—\u{1f600} ",
      empty: "",
    });
  });

  it("are case-insensitive, and are joined when repeated", async () => {
    const fields = await readPostForm(
      readerOf(
        formOf(
          [
            ["X-Amz-Meta-Tag", "Ninja"],
            ["x-amz-meta-tag", "Stallman"],
            ["file", ""],
          ],
          { boundary: "b" },
        ),
      ),
    );
    expect(fields.get("x-AMZ-meta-TAG")).toBe("Ninja,Stallman");
  });

  it.each([
    ["photo.jpg", "u/photo.jpg"],
    ["C:\\Program Files\\dir\\photo.jpg", "u/photo.jpg"],
    ["/home/me/photo.jpg", "u/photo.jpg"],
    ["../../photo.jpg", "u/photo.jpg"],
    ["$&$1.jpg", "u/$&$1.jpg"],
    ["", "u/"],
    [undefined, "u/${filename}"],
  ])("contain the substituted file name: %s", async (filename, key) => {
    expect(
      await fieldsOf([
        ["key", "u/${filename}"],
        ["file", "x", filename],
      ]),
    ).toEqual({ key });
  });

  it("contain every substitution", async () => {
    expect(
      await fieldsOf([
        ["a", "${filename}/${filename}"],
        ["b", "$ {filename}"],
        ["file", "x", "f"],
      ]),
    ).toEqual({
      a: "f/f",
      b: "$ {filename}",
    });
  });

  it("must end with a file", async () => {
    for (const parts of [[], [["key", "a"]]] satisfies Parameters<typeof formOf>[0][]) {
      expect(await rejectionOf(fieldsOf(parts))).toMatchObject({
        code: "InvalidArgument",
        message: "POST requires exactly one file upload per request.",
        fields: { ArgumentName: "file", ArgumentValue: "0" },
      });
    }
  });

  it("can have 20 KB including their overhead, and no more", async () => {
    const rest =
      formOf(
        [
          ["a", ""],
          ["file", ""],
        ],
        { boundary: "b" },
      ).length - "\r\n--b--\r\n".length;
    const room = FIELDS_MAX_BYTES - rest;
    expect(
      (
        await fieldsOf([
          ["a", "x".repeat(room)],
          ["file", ""],
        ])
      )["a"],
    ).toHaveLength(room);
    for (const parts of [
      [
        ["a", "x".repeat(room + 1)],
        ["file", ""],
      ],
      [
        ["a", "x".repeat(1_000_000)],
        ["file", ""],
      ],
      [
        ["x".repeat(30_000), "a"],
        ["file", ""],
      ],
      Array.from({ length: 500 }, () => ["a", ""] as const),
    ] satisfies Parameters<typeof formOf>[0][]) {
      expect(await rejectionOf(fieldsOf(parts))).toMatchObject({
        code: "MaxPostPreDataLengthExceeded",
        fields: { MaxPostPreDataLengthBytes: 20_480 },
      });
    }
  });

  it("must be UTF-8", async () => {
    const body = formOf(
      [
        ["key", "??"],
        ["file", ""],
      ],
      { boundary: "b" },
    );
    body[body.indexOf(0x3f)] = 0xff;
    expect((await rejectionOf(readPostForm(readerOf(body)))).code).toBe("MalformedPOSTRequest");
  });
});

describe("a form's file", () => {
  async function fileOf(body: Uint8Array, range = ANY_SIZE): Promise<FormFile> {
    const reader = readerOf(body);
    await readPostForm(reader);
    return new FormFile(reader, "b", body.length, range);
  }

  async function sizeOf(file: FormFile): Promise<number> {
    for (let size = 0; ;) {
      const bytes = await file.read();
      if (bytes === undefined) return size;
      size += bytes.length;
    }
  }

  it("has its estimated length when it is the last part", async () => {
    for (const length of [0, 1, 1000]) {
      const file = await fileOf(formOf([["file", "x".repeat(length)]], { boundary: "b" }));
      expect(file.estimatedLength).toBe(length);
      expect(await sizeOf(file)).toBe(length);
    }
  });

  it("is longer than estimated when more parts follow, and shorter without the last line break", async () => {
    const longer = await fileOf(
      formOf(
        [
          ["file", "xxx"],
          ["submit", "Go"],
        ],
        { boundary: "b" },
      ),
    );
    expect(longer.estimatedLength).toBeGreaterThan(3);
    expect(await sizeOf(longer)).toBe(3);
    const shorter = await fileOf(formOf([["file", "xxx"]], { boundary: "b" }).slice(0, -2));
    expect(shorter.estimatedLength).toBe(1);
    expect(await sizeOf(shorter)).toBe(3);
  });

  it("is rejected when the form breaks off after it", async () => {
    const body = formOf(
      [
        ["file", "xxx"],
        ["submit", "Go"],
      ],
      { boundary: "b" },
    );
    const end = body.length;
    for (let length = end - 5; length > end - 60; length -= 1) {
      const file = await fileOf(body.slice(0, length));
      expect((await rejectionOf(sizeOf(file))).code).toBe("MalformedPOSTRequest");
    }
  });

  it("has an allowed size, both bounds included", async () => {
    const range = { least: 5, most: 10 };
    for (const size of [5, 10]) {
      expect(await sizeOf(await fileOf(formOf([["file", "x".repeat(size)]], { boundary: "b" }), range))).toBe(size);
    }
    const small = fileOf(formOf([["file", "x".repeat(4)]], { boundary: "b" }), range).then(sizeOf);
    expect(await rejectionOf(small)).toMatchObject({
      code: "EntityTooSmall",
      fields: { ProposedSize: 4, MinSizeAllowed: 5 },
    });
    const large = fileOf(formOf([["file", "x".repeat(12)]], { boundary: "b" }), range).then(sizeOf);
    expect(await rejectionOf(large)).toMatchObject({
      code: "EntityTooLarge",
      fields: { ProposedSize: 12, MaxSizeAllowed: 10 },
    });
  });
});
