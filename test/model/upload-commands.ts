// The commands on multipart uploads, against the Worker and the model.
import { textOf } from "../support/read-xml.ts";
import type { CommandOf, PartChoice, Place } from "./commands.ts";
import type { Comparison } from "./comparison.ts";
import { md5, type Conditions } from "./model-state.ts";
import { bytesOf, conditionHeaders, tagging } from "./request-encoding.ts";
import type { UploadName } from "./resource-names.ts";

export class UploadCommands {
  readonly #comparison: Comparison;
  /** The last list of parts of each upload, for completions that are sent again. */
  readonly #listings = new Map<string, readonly (readonly [number, string])[]>();

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  async createUpload(at: Place, tags: Readonly<Record<string, string>>): Promise<UploadName> {
    const { names, model } = this.#comparison;
    const { answer, body } = await this.#comparison.send("POST", names.target(at, { uploads: "" }), {
      headers: tagging(tags),
    });
    const expected = model.respond(() => model.uploads.create(at.bucket, at.key, tags));
    const uploadId = body === undefined ? undefined : textOf(body, "UploadId");
    const upload = { bucket: at.bucket, key: at.key, id: expected.uploadId ?? "" };
    names.addUpload(upload, uploadId);
    this.#comparison.compare({ ...answer, uploadId: names.known(uploadId) }, expected);
    return upload;
  }

  async part({ bucket, key, id }: UploadName, number: number, part: PartChoice): Promise<void> {
    const target = this.#comparison.names.target(
      { bucket, key },
      { partNumber: String(number), uploadId: this.#comparison.names.realUpload(id) },
    );
    if ("body" in part) {
      const { answer } = await this.#comparison.send("PUT", target, { body: part.body });
      return this.#comparison.agree(undefined, answer, (model) =>
        model.uploads.uploadPart(bucket, id, number, bytesOf(part.body)),
      );
    }
    const source = this.#comparison.names.source(part.source);
    const { range } = part;
    const headers = {
      "x-amz-copy-source": this.#comparison.names.sourceHeader(source),
      ...(range === undefined ? {} : { "x-amz-copy-source-range": `bytes=${range[0]}-${range[1]}` }),
    };
    const { answer } = await this.#comparison.send("PUT", target, { headers });
    return this.#comparison.agree(undefined, answer, (model) =>
      model.uploads.copyPart(bucket, id, number, source, range, answer.etag),
    );
  }

  async complete(command: CommandOf<"complete">): Promise<void> {
    const upload = this.#comparison.names.upload(command.upload);
    const parts = this.#comparison.model.uploads.find(upload.bucket, upload.id)?.parts;
    const remembered = parts === undefined && !command.isStale ? this.#listings.get(upload.id) : undefined;
    // The parts that exist; a list of others is rejected, which is tried less often.
    const present = Array.from(parts?.keys() ?? []).sort((a, b) => a - b);
    const some = command.numbers.filter((number) => present.includes(number));
    const numbers = command.isStale || present.length === 0 ? command.numbers : some.length > 0 ? some : present;
    const stale = md5(bytesOf("stale"));
    const listing = remembered ?? numbers.map((number) => [number, parts?.get(number)?.etag ?? stale] as const);
    return this.#sendCompletion(upload, listing, this.#comparison.conditions(upload, command.when));
  }

  async abort(command: CommandOf<"abort">): Promise<void> {
    const { bucket, key, id } = this.#comparison.names.upload(command.upload);
    const { answer } = await this.#comparison.send(
      "DELETE",
      this.#comparison.names.target({ bucket, key }, { uploadId: this.#comparison.names.realUpload(id) }),
    );
    return this.#comparison.agree(undefined, answer, (model) => model.uploads.abort(bucket, id));
  }

  /** Uploads parts and completes them. */
  async multipart(command: CommandOf<"multipart">): Promise<void> {
    const upload = await this.createUpload(command.at, {});
    for (const [index, part] of command.parts.entries()) await this.part(upload, index + 1, part);
    const parts =
      this.#comparison.model.uploads.find(upload.bucket, upload.id)?.parts ??
      new Map<number, { readonly etag: string }>();
    if (parts.size === 0) return;
    return this.#sendCompletion(
      upload,
      Array.from(parts, ([number, { etag }]) => [number, etag] as const),
      {},
    );
  }

  async #sendCompletion(
    { bucket, key, id }: UploadName,
    listing: readonly (readonly [number, string])[],
    conditions: Conditions,
  ): Promise<void> {
    this.#listings.set(id, listing);
    const parts = listing.map(
      ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const target = this.#comparison.names.target({ bucket, key }, { uploadId: this.#comparison.names.realUpload(id) });
    const { answer } = await this.#comparison.send("POST", target, { body, headers: conditionHeaders(conditions) });
    return this.#comparison.agree({ bucket, key }, answer, (model) =>
      model.uploads.complete(bucket, id, listing, conditions),
    );
  }
}
