// Reads a form's fields up to its file. Fields after the file do not count.
import { GrowingBuffer } from "../../bytes/growing-buffer.ts";
import { decodeUtf8 } from "../../bytes/text.ts";
import { readPartHead, type PartName } from "./form-data.ts";
import { malformedForm, type DelimitedReader } from "./form-delimiter.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { decodeText } from "../core/text-encodings.ts";

/** The most bytes of a form before its file's content. */
export const FIELDS_MAX_BYTES = 20_480;

const FILENAME = "${filename}";

/** The fields of a form. Names are case-insensitive; the values of a repeated name are joined by commas. */
export class FormFields {
  readonly #fields = new Map<string, { readonly name: string; readonly value: string }>();

  add(name: string, value: string): void {
    const known = this.#fields.get(name.toLowerCase());
    this.#fields.set(name.toLowerCase(), known === undefined ? { name, value } : joined(known, value));
  }

  get(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase())?.value;
  }

  /** @throws S3Error InvalidArgument for an empty field, or one that does not precede the file */
  require(name: string): string {
    const value = this.get(name);
    if (value !== undefined && value !== "") return value;
    const message = `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`;
    throw invalidArgument(name, "", message);
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  /** The fields with their lower-case names, names as sent, and values. */
  entries(): { readonly key: string; readonly name: string; readonly value: string }[] {
    return Array.from(this.#fields, ([key, field]) => ({ key, ...field }));
  }

  /** Replaces every value. */
  map(change: (value: string) => string): FormFields {
    const changed = new FormFields();
    for (const { name, value } of this.entries()) changed.add(name, change(value));
    return changed;
  }
}

/**
 * Reads a form up to its file's content, and substitutes the file's name for `${filename}`.
 * @throws S3Error MalformedPOSTRequest, InvalidArgument without a file, MaxPostPreDataLengthExceeded past 20 KB
 */
export async function readPostForm(reader: DelimitedReader): Promise<FormFields> {
  const fields = new FormFields();
  await readValue(reader);
  for (;;) {
    const part = await readPartHead(reader, FIELDS_MAX_BYTES - reader.consumed);
    if (part === undefined) throw noFile();
    if (part === "too long" || reader.consumed > FIELDS_MAX_BYTES) throw fieldsTooLong();
    if (part.name.toLowerCase() === "file") return withFilename(fields, part);
    const text = decodeUtf8(await readValue(reader));
    const value = text === undefined ? undefined : decodeText("formField", text);
    if (value === undefined) throw malformedForm();
    fields.add(part.name, value);
  }
}

/**
 * Every field may contain `${filename}`. Some browsers send a path, of which only the last segment counts. Like S3,
 * leaves the variable unchanged if the file part has no name parameter.
 */
function withFilename(fields: FormFields, { filename }: PartName): FormFields {
  if (filename === undefined) return fields;
  const name = filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
  // A form may contain the variable a thousand times and a file name of ten thousand characters.
  let room = FIELDS_MAX_BYTES;
  return fields.map((value) => {
    const count = value.split(FILENAME).length - 1;
    room -= value.length + count * (name.length - FILENAME.length);
    if (room < 0) throw fieldsTooLong();
    return value.replaceAll(FILENAME, () => name);
  });
}

/** Reads the content up to the next delimiter: a field's value, or the preamble before the first part. */
async function readValue(reader: DelimitedReader): Promise<Uint8Array> {
  const value = new GrowingBuffer(FIELDS_MAX_BYTES);
  for (;;) {
    const bytes = await reader.untilDelimiter();
    if (reader.consumed > FIELDS_MAX_BYTES) throw fieldsTooLong();
    if (bytes === undefined) return value.bytes;
    value.append(bytes);
  }
}

function joined(known: { readonly name: string; readonly value: string }, value: string): typeof known {
  return { name: known.name, value: `${known.value},${value}` };
}

function noFile(): S3Error {
  return invalidArgument("file", "0", "POST requires exactly one file upload per request.");
}

function fieldsTooLong(): S3Error {
  return new S3Error("MaxPostPreDataLengthExceeded", { MaxPostPreDataLengthBytes: FIELDS_MAX_BYTES });
}
