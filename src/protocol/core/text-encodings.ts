// How the texts of a request stand for others: one table of what is decoded where. `%20` is a space wherever escapes
// are read; a plus is a space only where the table says so.
import { decodeUtf8 } from "../../bytes/text.ts";
import { percentDecode } from "../../bytes/uri-encode.ts";

interface TextEncoding {
  /** Whether `%41` stands for `A`. */
  readonly isPercentEncoded: boolean;
  /** Whether `+` stands for a space. */
  readonly plusIsSpace: boolean;
  /** What a text with malformed escapes, or of bytes that are not UTF-8, means. */
  readonly malformed: "refused" | "as it is";
}

export const TEXT_ENCODINGS = {
  /** The key in a URL's path. */
  path: { isPercentEncoded: true, plusIsSpace: false, malformed: "refused" },
  /** Names and values of query parameters. */
  query: { isPercentEncoded: true, plusIsSpace: true, malformed: "refused" },
  /** `x-amz-copy-source`. SDKs differ in whether they encode it. */
  copySource: { isPercentEncoded: true, plusIsSpace: true, malformed: "as it is" },
  /** `x-amz-rename-source`, which no SDK encodes: the key as it was sent is tried as well. */
  renameSource: { isPercentEncoded: true, plusIsSpace: false, malformed: "as it is" },
  /** `x-amz-tagging`: keys and values, each by itself. */
  taggingHeader: { isPercentEncoded: true, plusIsSpace: true, malformed: "refused" },
  /** The fields of a POST form, the key among them. */
  formField: { isPercentEncoded: false, plusIsSpace: false, malformed: "refused" },
} as const satisfies Readonly<Record<string, TextEncoding>>;

/** The text that a text stands for; undefined where it is malformed and that is refused. */
export function decodeText(place: keyof typeof TEXT_ENCODINGS, text: string): string | undefined {
  const encoding: TextEncoding = TEXT_ENCODINGS[place];
  const isLiteral = !text.includes("%") && !(encoding.plusIsSpace && text.includes("+"));
  if (!encoding.isPercentEncoded || isLiteral) return text;
  const bytes = percentDecode(text, encoding.plusIsSpace);
  const decoded = bytes === undefined ? undefined : decodeUtf8(bytes);
  return decoded ?? (encoding.malformed === "as it is" ? text : undefined);
}
