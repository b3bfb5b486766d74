// Probes which actions a principal may take on a bucket, without changing anything: the server checks permissions first,
// and then refuses the write or the deletion for another reason.
import { getXml } from "./buckets.ts";
import { Connection } from "./connection.ts";
import { NetworkFailure, readFailure, ServiceError } from "./failures.ts";
import { bucketPath, decodeKey, objectPath } from "./paths.ts";
import { getFederationToken } from "./sts.ts";
import { textOf } from "./xml.ts";

/** The prober: anonymous, the caller, or a principal that only the bucket's own rules can allow an action. */
export type Prober =
  | { readonly kind: "anonymous" }
  | { readonly kind: "caller" }
  | { readonly kind: "federated"; readonly name: string };

const PROBED_ACTIONS = ["list", "read", "write", "delete", "readPolicy"] as const;
export type ProbedAction = (typeof PROBED_ACTIONS)[number];

export interface Finding {
  readonly action: ProbedAction;
  readonly isAllowed: boolean;
  /** The server's explanation of a refusal. */
  readonly explanation: string;
}

/** No object has this ETag. */
const NO_ETAG = '"00000000000000000000000000000000-0"';
const MD5_OF_NOTHING = "1B2M2Y8AsgTpgAmY7PhCfg==";
const SHORTEST_SESSION_SECONDS = 900;

/** The first key of a bucket, as a suggestion; empty if the bucket is empty. */
export async function firstKey(connection: Connection, bucket: string): Promise<string> {
  const query = { "list-type": "2", "max-keys": "1", "encoding-type": "url" };
  return decodeKey(textOf(await getXml(connection, bucketPath(bucket), query), "Contents", "Key"));
}

/** Whether a key has an object. The server refuses a missing key to principals that may not list it. */
export async function hasObject(connection: Connection, bucket: string, key: string): Promise<boolean> {
  try {
    await connection.send({ method: "HEAD", path: objectPath(bucket, key) });
    return true;
  } catch (failure) {
    if (failure instanceof ServiceError && failure.status === 404) return false;
    throw failure;
  }
}

/** Tries every action on a key. @throws ServiceError if the server issues no credentials for the prober, NetworkFailure */
export async function probe(connection: Connection, prober: Prober, bucket: string, key: string): Promise<Finding[]> {
  const send = await senderOf(connection, prober);
  const object = objectPath(bucket, key);
  const prefix = key.slice(0, key.lastIndexOf("/") + 1);
  const read = await send({ method: "GET", path: object, headers: { range: "bytes=0-0" } });
  const changes = isAllowed(read) ? conditionalChanges(object) : invalidChanges(objectPath(bucket, besideOf(key)));
  const requests: Record<Exclude<ProbedAction, "read">, Request> = {
    list: { method: "GET", path: bucketPath(bucket), query: { "list-type": "2", "max-keys": "1", prefix } },
    readPolicy: { method: "GET", path: bucketPath(bucket), query: { policy: "" } },
    ...changes,
  };
  return Promise.all(
    PROBED_ACTIONS.map(async (action) => {
      const failure = action === "read" ? read : await send(requests[action]);
      return { action, isAllowed: isAllowed(failure), explanation: failure?.message ?? "" };
    }),
  );
}

function isAllowed(failure: ServiceError | undefined): boolean {
  return failure?.status !== 403;
}

/** Changes of the object itself, with a condition that never holds. A condition needs the permission to read. */
function conditionalChanges(path: string): Record<"write" | "delete", Request> {
  return {
    write: { method: "PUT", path, headers: { "if-match": NO_ETAG }, body: "" },
    delete: { method: "DELETE", path, headers: { "if-match": NO_ETAG } },
  };
}

/** Changes of an object that does not exist, which the server refuses as invalid once it has checked permissions. */
function invalidChanges(path: string): Record<"write" | "delete", Request> {
  return {
    write: { method: "PUT", path, headers: { "content-md5": MD5_OF_NOTHING }, body: "not nothing" },
    delete: { method: "DELETE", path, headers: { "x-amz-object-lock-mode": "GOVERNANCE" } },
  };
}

/** A key with the same beginning, so that rules for a prefix apply to it, too. */
function besideOf(key: string): string {
  return `${key}-${crypto.randomUUID()}`;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Sender = (request: Request) => Promise<ServiceError | undefined>;

async function senderOf(connection: Connection, prober: Prober): Promise<Sender> {
  if (prober.kind === "anonymous") return (request) => sendAnonymously(connection.endpoint, request);
  const played = prober.kind === "caller" ? connection : await federated(connection, prober.name);
  return async (request) => {
    try {
      const response = await played.send(request);
      await response.body?.cancel();
      return undefined;
    } catch (failure) {
      if (failure instanceof ServiceError) return failure;
      throw failure;
    }
  };
}

/** A session without a policy of its own may do only what bucket policies allow its ARN. */
async function federated(connection: Connection, name: string): Promise<Connection> {
  const { accessKeyId, secretAccessKey, sessionToken } = await getFederationToken(
    connection,
    name,
    undefined,
    SHORTEST_SESSION_SECONDS,
  );
  return new Connection(connection.endpoint, { accessKeyId, secretAccessKey, sessionToken }, connection.region);
}

async function sendAnonymously(endpoint: string, request: Request): Promise<ServiceError | undefined> {
  const { method, path, query = {}, headers = {}, body } = request;
  const text = new URLSearchParams(query).toString();
  let response: Response;
  try {
    response = await fetch(`${endpoint}${path}${text === "" ? "" : `?${text}`}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      credentials: "omit",
      cache: "no-store",
    });
  } catch (error) {
    throw new NetworkFailure(error);
  }
  if (!response.ok) return readFailure(response, 0);
  await response.body?.cancel();
  return undefined;
}
