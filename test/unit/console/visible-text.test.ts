// How the console shows names with characters that show nothing, and the name of a file that is saved.
import { describe, expect, it } from "vitest";
import { visibleText, withoutHidden } from "../../../console/src/i18n/visible-text.ts";

describe("a name is shown", () => {
  it.each([
    ["an override of direction", "photo\u202Egpj.exe", "photo[U+202E]gpj.exe"],
    ["isolates and embeddings", "\u2066a\u2069\u202Ab", "[U+2066]a[U+2069][U+202A]b"],
    ["spaces without width", "a\u200Bb\uFEFF", "a[U+200B]b[U+FEFF]"],
    ["controls", "a\u0000\n\t\u007F\u0085", "a\u2400\u240A\u2409[U+007F][U+0085]"],
  ])("with %s as symbols", (_, name, shown) => {
    expect(visibleText(name)).toBe(shown);
  });

  it.each(["مرحبا.txt", "可见 文件", "family \u{1F468}\u200D\u{1F469}", "می\u200Cخواهم", "%2e%2e <b>", "é é"])(
    "as it is without such characters: %s",
    (name) => {
      expect(visibleText(name)).toBe(name);
    },
  );
});

describe("the name of a saved file", () => {
  it("cannot turn its type around, and has no control", () => {
    expect(withoutHidden("photo\u202Egpj\u0001.exe", "_")).toBe("photo_gpj_.exe");
  });

  it("keeps the letters of all languages", () => {
    expect(withoutHidden("文件 مرحبا.txt", "_")).toBe("文件 مرحبا.txt");
  });
});
