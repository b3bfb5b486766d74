// Objects below the reserved prefix of an S3 store: the mark and the backups of the metadata. They are no blobs and have no
// companions.
import type { Counts } from "../d1/counts.ts";
import type { S3Call, S3Client } from "./s3-client.ts";
import { readKeyPage, type KeyPage } from "./s3-documents.ts";
import { refusal } from "./s3-reader.ts";

export class S3ReservedObjects {
  readonly #client: S3Client;
  readonly #counts: Counts;

  constructor(client: S3Client, counts: Counts) {
    this.#client = client;
    this.#counts = counts;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.#expectSuccess({ operation: "PutObject", method: "PUT", key: name, bytes });
  }

  /** The names of the folders right below a prefix, which ends with a slash. */
  async folders(prefix: string): Promise<string[]> {
    const folders: string[] = [];
    for (let token: string | undefined, isLast = false; !isLast;) {
      const page = await this.#list({
        prefix,
        delimiter: "/",
        ...(token === undefined ? {} : { "continuation-token": token }),
      });
      folders.push(...page.commonPrefixes.map((folder) => folder.slice(prefix.length, -1)));
      token = page.isTruncated ? page.nextToken : undefined;
      isLast = token === undefined;
    }
    return folders;
  }

  /** The names of up to `limit` objects below a prefix, after a name. */
  async names(prefix: string, after?: string, limit = 1000): Promise<readonly string[]> {
    const startAfter = after === undefined ? {} : { "start-after": after };
    return (await this.#list({ prefix, "max-keys": String(limit), ...startAfter })).keys;
  }

  async #list(query: Readonly<Record<string, string>>): Promise<KeyPage> {
    const page = readKeyPage(
      await this.#expectSuccess({ operation: "ListObjectsV2", method: "GET", query: { "list-type": "2", ...query } }),
    );
    if (page === undefined) throw new Error("the blob store answered ListObjectsV2 with no listing");
    return page;
  }

  async #expectSuccess(call: S3Call): Promise<Uint8Array> {
    const response = await this.#client.send(call, this.#counts);
    const document = await response.bytes();
    if (response.status !== 200) throw refusal(call, response, document);
    return document;
  }
}
