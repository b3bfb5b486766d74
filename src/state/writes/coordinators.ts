// The Worker's client of the coordinators: routes each key to its Durable Object and handles lost calls.
import type { EventOrigin } from "../../protocol/buckets/event-record.ts";
import { hasNotifications } from "../metadata/bucket-events.ts";
import { NO_CONFIGURATIONS, type Bucket } from "../metadata/buckets.ts";
import type { Counts } from "../d1/counts.ts";
import { FIRST_DATABASE, type Database } from "../d1/database.ts";
import type {
  ChangeOutcome,
  CoordinatorAnswer,
  CoordinatorWrite,
  DeleteChange,
  PutChange,
  PurgeChange,
} from "./changes.ts";
import { toWire } from "./coordinator-wire.ts";
import { isSchemaMismatch } from "../d1/schema-errors.ts";
import type { KeyCoordinator } from "./key-coordinator.ts";

// D1 accepts parameters of up to 2 MB. This many keys of 1024 bytes stay below that, even if all of it is escaped.
const DELETE_PAGE_KEYS = 250;
const CALL_ATTEMPTS = 3;

/** The coordinators of a deployment. */
export class Coordinators {
  readonly #namespace: Env["COORDINATORS"];
  readonly #shards: number;
  readonly #counts: Counts;
  readonly #location: DurableObjectLocationHint | undefined;
  readonly #options: DurableObjectNamespaceGetDurableObjectOptions;
  readonly #database: string;
  readonly #origin: EventOrigin;

  /**
   * @param location where Cloudflare creates a coordinator on its first call
   * @param database the binding of the database of the buckets that these coordinators write
   * @param origin who writes, for the events of buckets that ask for them
   */
  constructor(
    namespace: Env["COORDINATORS"],
    shards: number,
    counts: Counts,
    location: DurableObjectLocationHint | undefined,
    database = FIRST_DATABASE,
    origin: EventOrigin = UNKNOWN_ORIGIN,
  ) {
    this.#location = location;
    this.#options = location === undefined ? {} : { locationHint: location };
    this.#namespace = namespace;
    this.#shards = shards;
    this.#counts = counts;
    this.#database = database;
    this.#origin = origin;
  }

  /** The coordinators of buckets in a database. */
  of({ name }: Pick<Database, "name">): Coordinators {
    if (name === this.#database) return this;
    return new Coordinators(this.#namespace, this.#shards, this.#counts, this.#location, name, this.#origin);
  }

  /** The same coordinators for writes of an origin. */
  from(origin: EventOrigin): Coordinators {
    return new Coordinators(this.#namespace, this.#shards, this.#counts, this.#location, this.#database, origin);
  }

  /** Commits a new version of a key. */
  async put(bucket: Bucket, change: PutChange): Promise<ChangeOutcome> {
    const sent = toWire(change);
    const [outcome] = await this.#call(bucket, this.#shardOf(change.key), CALL_ATTEMPTS, (stub, isRepeated) =>
      this.#write(stub, bucket, { kind: "put", change: sent, isRepeated }),
    );
    return outcome ?? UNKNOWN_OUTCOME;
  }

  /** Deletes keys like DELETE without a version id. Outcomes are in the order of the changes. */
  async delete(bucket: Bucket, changes: readonly DeleteChange[]): Promise<ChangeOutcome[]> {
    return this.#callByShard(bucket, changes, (stub, page) =>
      this.#write(stub, bucket, { kind: "delete", changes: page.map(toWire) }),
    );
  }

  /** Purges versions. Outcomes are in the order of the changes. */
  async purge(bucket: Bucket, changes: readonly PurgeChange[]): Promise<ChangeOutcome[]> {
    return this.#callByShard(bucket, changes, (stub, page) =>
      this.#write(stub, bucket, { kind: "purge", changes: page.map(toWire) }),
    );
  }

  /** Calls what coordinators of the release before know too, where that does everything that the write asks for. */
  async #write(
    stub: DurableObjectStub<KeyCoordinator>,
    bucket: Bucket,
    write: CoordinatorWrite,
  ): Promise<CoordinatorAnswer> {
    const sent = withoutRules(bucket);
    const hasEvents = hasNotifications(bucket);
    if (this.#database !== FIRST_DATABASE || hasEvents) {
      return stub.writeIn(this.#database, sent, write, hasEvents ? { ...this.#origin } : undefined);
    }
    switch (write.kind) {
      case "put":
        return stub.put(sent, write.change, write.isRepeated);
      case "delete":
        return stub.delete(sent, write.changes);
      case "purge":
        return stub.remove(sent, write.changes);
    }
  }

  async #callByShard<Change extends DeleteChange | PurgeChange>(
    bucket: Bucket,
    changes: readonly Change[],
    call: (stub: DurableObjectStub<KeyCoordinator>, page: readonly Change[]) => Promise<CoordinatorAnswer>,
  ): Promise<ChangeOutcome[]> {
    const byShard = Map.groupBy(changes, (change) => this.#shardOf(change.key));
    const outcomes = new Map<Change, ChangeOutcome>();
    await Promise.all(
      Array.from(byShard, async ([shard, ofShard]) => {
        for (let start = 0; start < ofShard.length; start += DELETE_PAGE_KEYS) {
          const page = ofShard.slice(start, start + DELETE_PAGE_KEYS);
          // Deletions are not retried: a retry would not find what the first try purged, or would add a second marker.
          const answered = await this.#call(bucket, shard, 1, (stub) => call(stub, page));
          page.forEach((change, index) => outcomes.set(change, answered[index] ?? UNKNOWN_OUTCOME));
        }
      }),
    );
    return changes.map((change) => outcomes.get(change) ?? UNKNOWN_OUTCOME);
  }

  async #call(
    bucket: Bucket,
    shard: number,
    attempts: number,
    call: (stub: DurableObjectStub<KeyCoordinator>, isRepeated: boolean) => Promise<CoordinatorAnswer>,
  ): Promise<readonly ChangeOutcome[]> {
    for (let attempt = 1; ; attempt += 1) {
      this.#counts.addCoordinatorCall();
      try {
        const stub = this.#namespace.getByName(`${bucket.id}/${shard}`, this.#options);
        const answer = await call(stub, attempt > 1);
        this.#counts.add(answer.counts);
        return answer.outcomes;
      } catch (error) {
        // The lost call may have committed, so without attempts left its outcome is unknown.
        if (attempt < attempts && isRetryable(error)) continue;
        if (isSchemaMismatch(error)) throw error;
        console.error(JSON.stringify({ level: "error", lost: "coordinator call", message: String(error) }));
        return [];
      }
    }
  }

  /**
   * Calls one coordinator.
   * @throws Error of the runtime if none can be reached
   */
  async ping(): Promise<void> {
    this.#counts.addCoordinatorCall();
    await this.#namespace.getByName("health", this.#options).ping();
  }

  #shardOf(key: string): number {
    // FNV-1a over UTF-16 units: the shards only need an even distribution.
    let hash = 0x811c9dc5;
    for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
    return (hash >>> 0) % this.#shards;
  }
}

/** Leaves out rules and configurations that a coordinator does not use, which may take a megabyte. */
function withoutRules(bucket: Bucket): Bucket {
  const { object_lock, notification, upstream } = bucket.configurations;
  return { ...bucket, cors: [], configurations: { ...NO_CONFIGURATIONS, object_lock, notification, upstream } };
}

const UNKNOWN_ORIGIN: EventOrigin = {
  operation: "",
  principalId: "anonymous",
  sourceIp: "",
  requestId: "",
  hostId: "",
};

/** The outcome of a lost call: the client gets 503, and nothing is cleaned up. */
const UNKNOWN_OUTCOME: ChangeOutcome = {
  isDone: false,
  reason: "unknown",
  refusal: { code: "ServiceUnavailable", fields: {} },
  isDefinite: false,
};

function isRetryable(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return Reflect.get(error, "retryable") === true && Reflect.get(error, "overloaded") !== true;
}
