// One table of how each text of a request is decoded. `%20` is a space wherever escapes are decoded; a plus is a space
// only where `plusIsSpace` is true.
import { percentDecodeText } from "../../bytes/uri-encode.ts";

interface TextEncoding {
  /** Whether `%41` stands for `A`. */
  readonly isPercentEncoded: boolean;
  /** Whether `+` stands for a space. */
  readonly plusIsSpace: boolean;
  /** The treatment of malformed escapes and of bytes that are not UTF-8. */
  readonly malformed: "refused" | "as it is";
}

const TEXT_ENCODINGS = {
  /** The key in a URL's path. */
  path: { isPercentEncoded: true, plusIsSpace: false, malformed: "refused" },
  /** Names and values of query parameters. */
  query: { isPercentEncoded: true, plusIsSpace: true, malformed: "refused" },
  /** `x-amz-copy-source`. SDKs differ in whether they encode it. */
  copySource: { isPercentEncoded: true, plusIsSpace: true, malformed: "as it is" },
  /** `x-amz-rename-source`. No SDK encodes it, so the raw key is tried too. */
  renameSource: { isPercentEncoded: true, plusIsSpace: false, malformed: "as it is" },
  /** `x-amz-tagging`: keys and values, each by itself. */
  taggingHeader: { isPercentEncoded: true, plusIsSpace: true, malformed: "refused" },
  /** The fields of a POST form, the key among them. */
  formField: { isPercentEncoded: false, plusIsSpace: false, malformed: "refused" },
} as const satisfies Readonly<Record<string, TextEncoding>>;

/** Decodes a text; undefined if it is malformed and the place refuses that. */
export function decodeText(place: keyof typeof TEXT_ENCODINGS, text: string): string | undefined {
  const encoding: TextEncoding = TEXT_ENCODINGS[place];
  if (!encoding.isPercentEncoded) return text;
  return percentDecodeText(text, encoding.plusIsSpace) ?? (encoding.malformed === "as it is" ? text : undefined);
}
