// The real bindings behind connections that fail where a test requests it. All other calls reach the real binding.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { KeyCoordinator } from "../../src/state/writes/key-coordinator.ts";
import { bucketId } from "./stored-state.ts";

/** Handles a batch: `sql` are its statements, `send` sends it to the real database. */
export type BatchFault = (
  sql: readonly string[],
  send: () => Promise<D1Result[]>,
  parameters: readonly (readonly unknown[])[],
) => Promise<D1Result[]>;

/** D1 with an interceptor; by default the first database. */
export function d1With(fault: BatchFault, d1: D1Database = env.DB): D1Database {
  const texts = new WeakMap<object, { readonly sql: string; readonly parameters: readonly unknown[] }>();
  return line(d1, {
    prepare: (sql: string) => {
      const prepared = d1.prepare(sql);
      return line(prepared, {
        bind: (...parameters: unknown[]) => {
          const bound = prepared.bind(...parameters);
          texts.set(bound, { sql, parameters });
          return bound;
        },
      });
    },
    batch: (statements: D1PreparedStatement[]) =>
      fault(
        statements.map((statement) => texts.get(statement)?.sql ?? ""),
        () => d1.batch(statements),
        statements.map((statement) => texts.get(statement)?.parameters ?? []),
      ),
  });
}

/** The number of keys that the guard of a batch names; 0 for a batch that is no commit. */
export function guardedKeys(sql: readonly string[], parameters: readonly (readonly unknown[])[]): number {
  const guard = sql.findIndex((text) => text.includes("INTO commit_guard"));
  const entries: unknown = guard === -1 ? [] : JSON.parse(String(parameters[guard]?.[3]));
  return Array.isArray(entries) ? entries.length : 0;
}

/** D1's error when the connection to it breaks. */
export function connectionLost(): Error {
  return new Error("D1_ERROR: Network connection lost.");
}

/** A fault that affects only commits, before or after they are applied, the given number of times. */
export function failingCommits(when: "before" | "after", times: number): BatchFault {
  let left = times;
  return async (sql, send) => {
    if (left === 0 || !sql.some((text) => text.includes("commit_guard"))) return send();
    left -= 1;
    if (when === "after") await send();
    throw connectionLost();
  };
}

/** The methods of R2 that a fault can replace. */
export type BlobFault = {
  readonly put?: (key: string, body: ReadableStream<Uint8Array>, options: R2PutOptions) => Promise<R2Object | null>;
  readonly get?: (key: string, options?: R2GetOptions) => Promise<R2ObjectBody | null>;
  readonly head?: (key: string) => Promise<R2Object | null>;
  readonly delete?: (keys: string | string[]) => Promise<void>;
};

/** R2 with an interceptor. */
export function r2With(fault: BlobFault): R2Bucket {
  return line(env.BLOBS, fault);
}

/** Handles a call of a coordinator: `send` makes the real call. */
export type CallFault = <Answer>(method: "put" | "delete", send: () => Promise<Answer>) => Promise<Answer>;

/** The coordinators with an interceptor. */
export function coordinatorsWith(fault: CallFault): Env["COORDINATORS"] {
  return line(env.COORDINATORS, {
    getByName: (name: string) => {
      const stub = env.COORDINATORS.getByName(name);
      return {
        put: (...call: Parameters<KeyCoordinator["put"]>) => fault("put", async () => stub.put(...call)),
        delete: (...call: Parameters<KeyCoordinator["delete"]>) => fault("delete", async () => stub.delete(...call)),
      };
    },
  });
}

/** An error with the runtime's marks for Durable Objects. */
export function callLost(marks: { readonly retryable?: boolean; readonly overloaded?: boolean }): Error {
  return Object.assign(new Error("Durable Object reset because its code was updated."), marks);
}

/** The setting under which all keys of a bucket share the one coordinator that a test can reach. */
export const ONE_SHARD = { COORDINATOR_SHARDS: "1" };

/** The stub of a bucket's coordinator. */
export async function coordinatorOf(bucket: string, shard = 0): Promise<DurableObjectStub<KeyCoordinator>> {
  return env.COORDINATORS.getByName(`${await bucketId(bucket)}/${shard}`);
}

/** Runs an action while a bucket's coordinator reaches D1 through a failing connection. */
export async function withCoordinatorD1<Result>(
  bucket: string,
  fault: BatchFault,
  action: () => Promise<Result>,
  shard = 0,
): Promise<Result> {
  const stub = await coordinatorOf(bucket, shard);
  const replaceEnv = (DB: D1Database) =>
    runInDurableObject(stub, (instance) => {
      Reflect.set(instance, "env", { ...env, DB });
    });
  await replaceEnv(d1With(fault));
  try {
    return await action();
  } finally {
    await replaceEnv(env.DB);
  }
}

function line<Target extends object>(target: Target, replaced: object): Target {
  return new Proxy(target, {
    get(_, property) {
      const replacement: unknown = Reflect.get(replaced, property);
      if (replacement !== undefined) return replacement;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
