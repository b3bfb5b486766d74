// Runs commands against the Worker and the model side by side: every response must agree.
import { expect } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { referencesOfId } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { BIG_BUCKET, BUCKETS, KEYS, type Command, type CommandOf } from "./commands.ts";
import { Comparison } from "./comparison.ts";
import { list, listParts } from "./listing-commands.ts";
import {
  copyObject,
  deleteObject,
  deleteObjects,
  getObject,
  getTags,
  putObject,
  renameObject,
  writeTags,
} from "./object-commands.ts";
import { UploadCommands } from "./upload-commands.ts";

const RECOVERY_WINDOW_MS = 24 * 3_600_000;

export class ModelRunner {
  readonly #comparison = new Comparison();
  readonly #uploads = new UploadCommands(this.#comparison);
  /** Every bucket that ever existed: its blobs may outlive it. */
  readonly #bucketIds: string[] = [];

  /** The requests so far with their responses, for a person to read. */
  get transcript(): readonly string[] {
    return this.#comparison.transcript;
  }

  /** @param big the object that is copied for parts that must have 5 MiB, when a command succeeds */
  static async start(big: Uint8Array | undefined): Promise<ModelRunner> {
    const runner = new ModelRunner();
    for (const name of BUCKETS) await runner.#createBucket(name);
    if (big === undefined) return runner;
    await runner.#createBucket(BIG_BUCKET);
    const { model, names } = runner.#comparison;
    const { status } = await send("PUT", names.target({ bucket: BIG_BUCKET, key: KEYS[0] }), { body: big });
    expect(status).toBe(200);
    model.put(BIG_BUCKET, KEYS[0], big, {}, {});
    return runner;
  }

  async perform(command: Command): Promise<void> {
    const comparison = this.#comparison;
    const { names } = comparison;
    switch (command.op) {
      case "put":
        return putObject(comparison, command);
      case "get":
        return getObject(comparison, command);
      case "delete":
        return deleteObject(comparison, command);
      case "deleteObjects":
        return deleteObjects(comparison, command);
      case "copy":
        return copyObject(comparison, command);
      case "rename":
        return renameObject(comparison, command);
      case "putTags":
      case "deleteTags":
        return writeTags(comparison, command);
      case "getTags":
        return getTags(comparison, command);
      case "list":
      case "listVersions":
      case "listUploads":
        return list(comparison, command.op, command.bucket, command.pageSize);
      case "setVersioning":
        return this.#setVersioning(command);
      case "remakeBucket":
        return this.#recreateBucket(command);
      case "collectGarbage":
        comparison.transcript.push("collect all garbage");
        // Garbage of this very millisecond is not yet due.
        await runPass(collectGarbage, Date.now() + RECOVERY_WINDOW_MS + 1000);
        return;
      case "createUpload":
        await this.#uploads.createUpload(command.at, command.tags);
        return;
      case "part":
        return this.#uploads.part(names.upload(command.upload), command.number, command.part);
      case "complete":
        return this.#uploads.complete(command);
      case "abort":
        return this.#uploads.abort(command);
      case "listParts":
        return listParts(comparison, names.upload(command.upload));
      case "multipart":
        return this.#uploads.multipart(command);
    }
  }

  /** Reads everything back, and checks all references. */
  async finish(): Promise<void> {
    const { names, transcript } = this.#comparison;
    transcript.push("read everything back:");
    const { length } = transcript;
    const look = async (reading: Promise<void>): Promise<void> => {
      await reading;
      // Correct results are of no interest to a reader of the failure.
      transcript.length = length;
    };
    for (const bucket of BUCKETS) {
      for (const op of ["list", "listVersions", "listUploads"] as const)
        await look(list(this.#comparison, op, bucket, 1000));
      for (const key of KEYS) {
        const versions = names.versionCount({ bucket, key });
        for (const version of [undefined, "null", ...Array.from({ length: versions }).keys()] as const) {
          await look(this.perform({ op: "get", at: { bucket, key }, version, range: undefined }));
        }
      }
    }
    for (const upload of names.uploads) await look(listParts(this.#comparison, upload));
    for (const id of this.#bucketIds) {
      const references = await referencesOfId(id);
      expect(references, JSON.stringify(references)).toEqual({ findings: [], orphans: [] });
    }
  }

  async #createBucket(name: (typeof BUCKETS)[number] | typeof BIG_BUCKET): Promise<void> {
    const { model, names } = this.#comparison;
    const known = names.knownBucket(name);
    if (known === undefined) names.addBucket(name, await freshBucket());
    else expect((await send("PUT", `/${known}`)).status).toBe(200);
    model.createBucket(name);
    this.#bucketIds.push(await bucketId(names.bucket(name)));
  }

  async #setVersioning({ bucket, versioning }: CommandOf<"setVersioning">): Promise<void> {
    const comparison = this.#comparison;
    const body = `<VersioningConfiguration><Status>${versioning}</Status></VersioningConfiguration>`;
    const { answer } = await comparison.send("PUT", `/${comparison.names.bucket(bucket)}?versioning`, { body });
    comparison.agree(undefined, answer, (model) => model.setVersioning(bucket, versioning));
  }

  async #recreateBucket({ bucket }: CommandOf<"remakeBucket">): Promise<void> {
    const comparison = this.#comparison;
    const { answer } = await comparison.send("DELETE", `/${comparison.names.bucket(bucket)}`);
    comparison.agree(undefined, answer, (model) => model.deleteBucket(bucket));
    if (answer.status === 204) await this.#createBucket(bucket);
  }
}
