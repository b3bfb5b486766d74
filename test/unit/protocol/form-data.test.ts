import { describe, expect, it } from "vitest";

import { readBoundary, readPartHead } from "../../../src/protocol/forms/form-data.ts";
import { DelimitedReader } from "../../../src/protocol/forms/form-delimiter.ts";
import { chunks, Seeded } from "../bytes/seeded.ts";
import { errorOf, rejectionOf } from "./support.ts";

const BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/** A reader of these bytes, which arrive in pieces of these sizes and are overwritten when the next one is read. */
function readerOf(body: Uint8Array | string, sizes: readonly number[] = [1 << 20], boundary = BOUNDARY) {
  const pieces = chunks(typeof body === "string" ? latin1(body) : body, sizes);
  let last: Uint8Array | undefined;
  return new DelimitedReader(
    {
      read() {
        last?.fill(0x58);
        last = pieces.shift();
        return Promise.resolve(last);
      },
    },
    boundary,
  );
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function contentOf(reader: DelimitedReader): Promise<Uint8Array> {
  const all: number[] = [];
  for (;;) {
    const bytes = await reader.untilDelimiter();
    if (bytes === undefined) return Uint8Array.from(all);
    all.push(...bytes);
  }
}

interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly content: Uint8Array;
}

async function partsOf(reader: DelimitedReader): Promise<Part[]> {
  const parts: Part[] = [];
  await contentOf(reader);
  for (;;) {
    const head = await readPartHead(reader, 4096);
    if (head === "too long") throw new Error("too long");
    if (head === undefined) break;
    parts.push({ ...head, content: await contentOf(reader) });
  }
  await reader.toEnd();
  return parts;
}

function part(disposition: string, content = "x"): string {
  return `--${BOUNDARY}\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
}

const END = `--${BOUNDARY}--\r\n`;

describe("a form's parts", () => {
  it("are the same for any split of the body, also if they resemble a delimiter", async () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const random = new Seeded(seed);
      const boundary = random.pick(["b", "----x", "-", BOUNDARY, "a'()+_,-./:=? z"]);
      const delimiter = `\r\n--${boundary}`;
      const piece = (): string =>
        random.pick([
          "\r",
          "\n",
          "\r\n",
          "-",
          "\r\r\n",
          delimiter.slice(0, random.below(delimiter.length)),
          String.fromCharCode(random.below(256)),
          "text",
        ]);
      const contents = Array.from({ length: random.below(6) }, () =>
        Array.from({ length: random.below(12) }, piece)
          .join("")
          .replaceAll(delimiter, ""),
      ).map((content) => (`\r\n${content}\r\n--`.includes(delimiter) ? "plain" : content));
      const preamble = random.pick(["", "preamble\r\n", "\r\n", `-${boundary}\r\n`]);
      const padding = random.pick(["", " ", "\t  "]);
      const body = [
        preamble,
        ...contents.map(
          (content, index) =>
            `--${boundary}${padding}\r\nX-Other: 1\r\ncontent-disposition:form-data;name="f${index}"\r\n\r\n${content}\r\n`,
        ),
        `--${boundary}--`,
        random.pick(["", "\r\n", "\r\nepilogue", `${delimiter}\r\n`]),
      ].join("");
      const sizes = Array.from({ length: 1 + random.below(4) }, () => 1 + random.below(random.pick([2, 9, 200])));
      const bytes = latin1(body);
      const reader = readerOf(bytes, sizes, boundary);
      const parts = await partsOf(reader);
      expect(parts, `seed ${seed}`).toEqual(
        contents.map((content, index) => ({ name: `f${index}`, filename: undefined, content: latin1(content) })),
      );
      expect(reader.consumed).toBe(bytes.length);
    }
  });

  it("can begin without a preamble or after a line of one", async () => {
    for (const preamble of ["", "\r\n", "This is a multipart message.\r\n"]) {
      expect(await partsOf(readerOf(preamble + part('form-data; name="a"') + END))).toHaveLength(1);
    }
  });

  it.each([
    ['form-data; name="key"', "key", undefined],
    ["form-data; name=key", "key", undefined],
    ['FORM-DATA ; NAME = "key"', undefined, undefined],
    ['Form-Data;NAME="key";  FileName="a b.txt"', "key", "a b.txt"],
    ['form-data; filename="x"; name="file"', "file", "x"],
    ['form-data; name="file"; filename=""', "file", ""],
    ['form-data; name="file"; filename="a\\"b"', "file", 'a"b'],
    ['form-data; name="file"; filename="a%22b%0D%0Ac%20d"', "file", 'a"b\r\nc%20d'],
    ['form-data; name="file"; filename="C:\\dir\\x.txt"', "file", "C:\\dir\\x.txt"],
    ['form-data; name="file"; filename="semi;colon=1"', "file", "semi;colon=1"],
    ['form-data; name="file"; filename="a"; filename*=UTF-8\'\'b', "file", "a"],
    ['form-data; name="file";', "file", undefined],
  ])("are named by their Content-Disposition: %s", async (disposition, name, filename) => {
    const reader = readerOf(part(disposition) + END);
    if (name === undefined) {
      expect((await rejectionOf(partsOf(reader))).code).toBe("MalformedPOSTRequest");
      return;
    }
    expect(await partsOf(reader)).toEqual([{ name, filename, content: latin1("x") }]);
  });

  it("are named in UTF-8", async () => {
    const name = String.fromCharCode(...new TextEncoder().encode("naïve—\u{1f600}.png"));
    const [only] = await partsOf(readerOf(part(`form-data; name="file"; filename="${name}"`) + END));
    expect(only?.filename).toBe("naïve—\u{1f600}.png");
  });

  it.each([
    ["nothing", ""],
    ["no delimiter", "key=value"],
    ["a delimiter of another boundary", part('form-data; name="a"').replaceAll(BOUNDARY, "another")],
    ["no last delimiter", part('form-data; name="a"')],
    ["a last delimiter that is cut short", `${part('form-data; name="a"')}--${BOUNDARY}`],
    ["a last delimiter that is cut shorter", `${part('form-data; name="a"')}--${BOUNDARY}-`],
    ["headers that end too soon", `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n`],
    ["text behind a delimiter", `--${BOUNDARY}x\r\n\r\n`],
    ["line feeds alone", (part('form-data; name="a"') + END).replaceAll("\r\n", "\n")],
    ["a line feed alone in the headers", (part('form-data; name="a"') + END).replace('"a"\r\n', '"a"\n')],
    ["a part without a Content-Disposition", `--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n${END}`],
    ["a part without a name", part("form-data") + END],
    ["a part of another disposition", part('file; name="file"') + END],
    ["a name given twice", part('form-data; name="key"; name="other"') + END],
    ["a name that is not UTF-8", part('form-data; name="\xff"') + END],
  ])("are refused: %s", async (_, body) => {
    for (const sizes of [[1], [7], [1000]]) {
      expect((await rejectionOf(partsOf(readerOf(body, sizes)))).code).toBe("MalformedPOSTRequest");
    }
  });

  it("have headers of a bounded length", async () => {
    for (const body of [
      part(`form-data; name="${"a".repeat(5000)}"`),
      `--${BOUNDARY}\r\n${"x: y\r\n".repeat(2000)}\r\n`,
      `--${BOUNDARY}${" ".repeat(5000)}\r\n`,
      `--${BOUNDARY}\r\n${"a".repeat(5000)}`,
    ]) {
      const reader = readerOf(body, [100]);
      await contentOf(reader);
      expect(await readPartHead(reader, 4096)).toBe("too long");
      expect(reader.consumed).toBeLessThan(4300);
    }
  });

  it("distinguish a disconnected sender from a malformed form", async () => {
    const reader = new DelimitedReader({ read: () => Promise.reject(new Error("gone")) }, BOUNDARY);
    expect((await rejectionOf(contentOf(reader))).code).toBe("IncompleteBody");
  });
});

describe("the boundary", () => {
  it.each([
    ["multipart/form-data; boundary=abc", "abc"],
    ["Multipart/Form-Data;BOUNDARY=abc", "abc"],
    ['multipart/form-data; charset=utf-8; boundary="a b:c"', "a b:c"],
    [`multipart/form-data; boundary=${"x".repeat(70)}`, "x".repeat(70)],
  ])("is read: %s", (contentType, boundary) => {
    expect(readBoundary(contentType)).toBe(boundary);
  });

  it.each([
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="a "',
    `multipart/form-data; boundary=${"x".repeat(71)}`,
    "multipart/form-data; boundary=a; boundary=b",
    'multipart/form-data; boundary="a',
    "multipart/form-data, boundary=a",
  ])("is refused: %s", (contentType) => {
    const { code } = errorOf(() => readBoundary(contentType));
    expect(["MalformedPOSTRequest", "PreconditionFailed"]).toContain(code);
  });

  it.each([null, "", "text/html", "application/x-www-form-urlencoded", "multipart/mixed; boundary=a"])(
    "is required in the type of a form: %s",
    (contentType) => {
      expect(errorOf(() => readBoundary(contentType))).toMatchObject({
        code: "PreconditionFailed",
        fields: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
      });
    },
  );
});
