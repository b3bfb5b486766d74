// Parses the query string by hand, because operations and the signature need exact names and values.
import { S3Error } from "./s3-error.ts";
import { decodeText } from "./text-encodings.ts";

/** A decoded parameter. Decoding is strict UTF-8, so encoding the text again yields the signed bytes. */
export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** The parameters of a query string, in the order sent. */
export class Query {
  readonly parameters: readonly QueryParameter[];
  /** The first value of each name. */
  readonly #values = new Map<string, string>();

  constructor(parameters: readonly QueryParameter[]) {
    this.parameters = parameters;
    for (const { name, value } of parameters) if (!this.#values.has(name)) this.#values.set(name, value);
  }

  /** The first value of a parameter; `?name` and `?name=` are both "". Names are case-sensitive. */
  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Every value of a parameter. */
  all(name: string): string[] {
    return this.parameters.filter((parameter) => parameter.name === name).map((parameter) => parameter.value);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/**
 * Parses a raw query string (without its `?`). Like AWS, reads `+` and `%20` as a space.
 * @throws S3Error InvalidURI for a malformed escape or text that is not UTF-8.
 */
export function parseQuery(raw: string): Query {
  const parameters: QueryParameter[] = [];
  for (const pair of raw.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    parameters.push({ name, value: decode(equals < 0 ? "" : pair.slice(equals + 1)) });
  }
  return new Query(parameters);
}

function decode(text: string): string {
  const decoded = decodeText("query", text);
  if (decoded === undefined) throw new S3Error("InvalidURI", { URI: text.slice(0, 1024) });
  return decoded;
}
