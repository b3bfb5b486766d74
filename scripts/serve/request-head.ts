// Reads the head of an HTTP/1.1 request as far as its framing goes, and refuses what S3 refuses: fields that programs read
// differently (RFC 9112 §5), and a host that is not certain.

const FRAMING_FIELDS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);
/** A path, an address or `*`, as RFC 9112 §3.2 has them. */
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9a-z]+ (?:\/|https?:\/\/|\*(?= ))\S* HTTP\/1\.[01]$/i;
const LENGTH = /^\d{1,15}$/;
/** A name without a space before its colon, and a value without control characters. */
// oxlint-disable-next-line no-control-regex
const FIELD = /^([!#$%&'*+\-.^_`|~0-9a-z]+):([^\u0000-\u0008\u000a-\u001f\u007f]*)$/i;

/** The body that follows a head. */
export type BodyFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunks" };

export interface RequestHead {
  readonly body: BodyFraming;
  readonly expectsContinue: boolean;
}

/**
 * @param text the lines of a head, without the empty one that ends it
 * @returns undefined for a head that is malformed or ambiguous
 */
export function readHead(text: string): RequestHead | undefined {
  const [requestLine = "", ...lines] = text.split("\r\n");
  if (!REQUEST_LINE.test(requestLine)) return undefined;
  const hosts: string[] = [];
  const framing: (readonly [name: string, value: string])[] = [];
  let expectation = "";
  for (const line of lines) {
    // A line that begins with a space continues the one before it, for programs that know such lines.
    const [, written = "", padded = ""] = FIELD.exec(line) ?? [];
    const name = written.toLowerCase();
    const value = withoutPadding(padded);
    if (name === "") return undefined;
    if (name === "host") hosts.push(value);
    else if (FRAMING_FIELDS.has(name)) framing.push([name, value]);
    else if (name === "expect") expectation = value;
  }
  if (hosts.length !== 1 || hosts[0] === "") return undefined;
  const [field, another] = framing;
  const body = another === undefined ? bodyOf(field) : undefined;
  if (body === undefined) return undefined;
  const isEmpty = body.kind === "none" || (body.kind === "length" && body.bytes === 0);
  return { body, expectsContinue: isEmpty && /100-continue/i.test(expectation) };
}

function withoutPadding(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && " \t".includes(text.charAt(start))) start += 1;
  while (end > start && " \t".includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** The body that the one framing field announces; undefined for a value that programs read differently. */
function bodyOf(field: readonly [name: string, value: string] | undefined): BodyFraming | undefined {
  if (field === undefined) return { kind: "none" };
  const [name, value] = field;
  if (name === "transfer-encoding") return /^chunked$/i.test(value) ? { kind: "chunks" } : undefined;
  return LENGTH.test(value) ? { kind: "length", bytes: Number(value) } : undefined;
}
