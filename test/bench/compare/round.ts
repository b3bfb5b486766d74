// What a workload prepares for one round of one target: operations, and the objects that they need.
import { randomBytes } from "node:crypto";
import type { Connection } from "./connection.ts";
import type { UnsignedRequest } from "./presign.ts";
import { checked, type Target } from "./target.ts";

/** One unit of work, timed as a whole. Rejects if a response is not the expected one. */
export type Operation = (connection: Connection) => Promise<void>;

export interface Round {
  readonly target: Target;
  /** Unique, for keys that no other round uses. */
  readonly id: string;
  readonly count: number;
  /** Requests at a time. */
  readonly at: number;
}

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Bytes of a body that is worth a rate. */
  readonly bytes?: number;
  /** Requests at a time. */
  readonly at: readonly number[];
  /** Requests in a round at one, and at several at a time. */
  readonly counts: readonly [alone: number, together: number];
  /** The number of keys in the bucket that it lists. */
  readonly listedKeys?: number;
  /** Bytes of the object that the first operation of a round leaves, which a peer must return. */
  readonly leavesBytes?: number;
  /** Concurrency in `--quick`; undefined leaves the workload out. */
  readonly quickAt?: number;
  prepare(round: Round): Promise<readonly Operation[]>;
}

const SETUP_CONNECTIONS = 16;

/** Starts a round of a target. */
export function newRound(target: Target, count: number, at: number): Round {
  return { target, count, at, id: randomBytes(5).toString("hex") };
}

/** An operation of one request. */
export function single(target: Target, request: UnsignedRequest): Operation {
  const wire = target.request(request);
  return async (connection) => void checked(request, await connection.send(wire));
}

/** Runs operations over some connections and returns the time of each in milliseconds. */
export async function runOperations(
  connections: readonly Connection[],
  operations: readonly Operation[],
): Promise<number[]> {
  const times: number[] = [];
  const queue = operations.values();
  await Promise.all(
    connections.map(async (connection) => {
      for (const operation of queue) {
        const start = performance.now();
        await operation(connection);
        times.push(performance.now() - start);
      }
    }),
  );
  return times;
}

/** Runs operations whose time does not count. */
export async function setUp(target: Target, operations: readonly Operation[]): Promise<void> {
  const connections = await target.connect(Math.min(SETUP_CONNECTIONS, operations.length));
  try {
    await runOperations(connections, operations);
  } finally {
    for (const connection of connections) connection.close();
  }
}

const ensured = new WeakMap<Target, Set<string>>();

/** Stores an object unless the target has it. */
export async function ensureObject(target: Target, path: string, size: number): Promise<void> {
  const paths = ensured.get(target) ?? new Set();
  ensured.set(target, paths);
  if (paths.has(path)) return;
  await setUp(target, [single(target, { method: "PUT", path, body: Buffer.alloc(size, "x") })]);
  paths.add(path);
}

/** Stores an object for each operation of a round and returns their paths. */
export async function storeObjects({ target, count }: Round, path: string): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, index) => `${path}-${index}`);
  const body = Buffer.alloc(1024, "x");
  await setUp(
    target,
    paths.map((path) => single(target, { method: "PUT", path, body })),
  );
  return paths;
}
