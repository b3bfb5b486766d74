// Parses JSON strictly. An object that repeats a key is rejected, because JSON.parse would ignore all but its last
// value. Objects are maps, so that `__proto__` is an ordinary key.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** A policy has six levels. */
const MAX_DEPTH = 16;

const TOKEN = /[\t\n\r ]*([{}[\]:,]|"(?:[^"\\]|\\.)*"|[^\t\n\r {}[\]:,"]+)/y;

/** Parses a JSON text; undefined if it is malformed, repeats a key, nests too deep or contains lone surrogates. */
export function readJson(text: string): Json | undefined {
  try {
    // JSON.parse checks the syntax, so the reader need not.
    JSON.parse(text);
    return new Reader(text).value(0);
  } catch {
    return undefined;
  }
}

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth >= MAX_DEPTH) throw new SyntaxError("nested too deep");
    const token = this.#next();
    if (token === "{") return this.#object(depth + 1);
    if (token === "[") return this.#array(depth + 1);
    const value: unknown = JSON.parse(token);
    if (typeof value === "string") return wellFormed(value);
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    throw new SyntaxError("not a value");
  }

  #object(depth: number): JsonObject {
    const entries = new Map<string, Json>();
    if (this.#peek() === "}") return this.#close(entries);
    do {
      const name: unknown = JSON.parse(this.#next());
      if (typeof name !== "string" || entries.has(name)) throw new SyntaxError("repeated key");
      // The colon.
      this.#next();
      entries.set(wellFormed(name), this.value(depth));
    } while (this.#next() === ",");
    return entries;
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    if (this.#peek() === "]") return this.#close(items);
    do items.push(this.value(depth));
    while (this.#next() === ",");
    return items;
  }

  #close<Value>(value: Value): Value {
    this.#next();
    return value;
  }

  #peek(): string {
    const position = this.#position;
    const token = this.#next();
    this.#position = position;
    return token;
  }

  #next(): string {
    TOKEN.lastIndex = this.#position;
    const token = TOKEN.exec(this.#text)?.[1];
    if (token === undefined) throw new SyntaxError("unexpected end");
    this.#position = TOKEN.lastIndex;
    return token;
  }
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new SyntaxError("half a character");
  return text;
}

/** Whether a value is a list of strings. */
export function isStrings(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
