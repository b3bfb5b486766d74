// Cairn's Worker behind bindings that count what Cloudflare bills. The counts come from the platform's side of each binding,
// not from Cairn's own counters. `GET /-/tally` returns and resets them once no background work is left.
import cairn, { KeyCoordinator as CairnCoordinator } from "../../../src/worker.ts";
import { readSettings } from "../../../src/config/settings.ts";
import { connect } from "../../../src/contract/connections.ts";
import { packSmallBlobs } from "../../../src/jobs/pack-small-blobs.ts";
import { Counts } from "../../../src/state/d1/counts.ts";
import { NOTHING, plus, type Tally } from "../tally.ts";

const CLASS_A = new Set(["put", "list", "createMultipartUpload"]);
const CLASS_B = new Set(["get", "head"]);
const CONFLICT = 409;
const DAY_MS = 24 * 3_600_000;

let tally = NOTHING;
let pending = 0;

function add(counted: Partial<Tally>): void {
  tally = plus(tally, { ...NOTHING, ...counted });
}

for (const method of ["log", "warn", "error"] as const) {
  const print = console[method].bind(console);
  console[method] = (...values: unknown[]) => {
    add({ logEvents: 1 });
    print(...values);
  };
}

/** Passes the name and the result of each method call through `call`. */
function watched<Target extends object>(target: Target, call: (name: string, result: unknown) => unknown): Target {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== "function" || typeof name !== "string") return member;
      return (...values: unknown[]): unknown => call(name, Reflect.apply(member, object, values));
    },
  });
}

async function countRows(results: Promise<readonly D1Result[]>): Promise<readonly D1Result[]> {
  for (const { meta } of await results) add({ rowsRead: meta.rows_read, rowsWritten: meta.rows_written });
  return results;
}

function countedDatabase<Database extends D1Database | D1DatabaseSession>(database: Database): Database {
  return watched(database, (name, result) => {
    // What these methods return is known from their names.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (name === "batch") return countRows(result as Promise<readonly D1Result[]>);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return name === "withSession" ? countedDatabase(result as D1DatabaseSession) : result;
  });
}

// Cairn remembers settings and keys for as long as its environment is the same object.
const COUNTED = new WeakMap<Env, Env>();

function counted(env: Env): Env {
  const known = COUNTED.get(env) ?? countedBindings(env);
  COUNTED.set(env, known);
  return known;
}

function countedBindings(env: Env): Env {
  const blobs = watched(env.BLOBS, (name, result) => {
    if (CLASS_A.has(name)) add({ classA: 1 });
    if (CLASS_B.has(name)) add({ classB: 1 });
    return result;
  });
  const coordinators = watched(env.COORDINATORS, (name, result) => {
    if (name !== "get" && name !== "getByName") return result;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return watched(result as DurableObjectStub<CairnCoordinator>, (_method, answer) => {
      add({ coordinatorCalls: 1 });
      return answer;
    });
  });
  return { ...env, DB: countedDatabase(env.DB), BLOBS: blobs, COORDINATORS: coordinators };
}

export class KeyCoordinator extends CairnCoordinator {
  constructor(state: DurableObjectState, env: Env) {
    super(state, counted(env));
  }
}

/** Runs a pass of the job that packs small bodies, at a time when all of them are old enough. */
async function packAll(env: Env): Promise<Response> {
  const settings = readSettings(env);
  // One pass a day looks where earlier ones were, and reads more rows.
  const noon = Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
  const budget = { callsLeft: () => settings.jobCallsPerTick, isSpent: () => false };
  const context = { ...connect(env, settings, new Counts()), settings, env, now: noon, budget };
  let cursor: string | null = null;
  do ({ cursor } = await packSmallBlobs.step(context, cursor));
  while (cursor !== null);
  return new Response();
}

export default {
  fetch(request, env, execution) {
    if (request.url.endsWith("/-/tally")) {
      if (pending > 0) return new Response(null, { status: CONFLICT });
      const total = tally;
      tally = NOTHING;
      return Response.json(total);
    }
    if (request.url.endsWith("/-/pack")) return packAll(counted(env));
    add({ requests: 1 });
    const waitUntil = (promise: Promise<unknown>): void => {
      pending += 1;
      const end = (): void => void (pending -= 1);
      execution.waitUntil(promise.then(end, end));
    };
    const watchedExecution = new Proxy(execution, {
      get: (object, name) => (name === "waitUntil" ? waitUntil : Reflect.get(object, name)),
    });
    return cairn.fetch(request, counted(env), watchedExecution);
  },
} satisfies ExportedHandler<Env>;
