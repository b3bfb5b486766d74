// The context of a running operation: the request, its principal and the connections.
import type { Access } from "../auth/access/access.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { IncomingBody, UnsizedBody } from "../protocol/core/incoming-body.ts";
import type { OperationInputs } from "../protocol/core/operation-inputs.ts";
import type { EventOrigin } from "../protocol/buckets/event-record.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { EdgeCache } from "../state/blobs/edge-cache.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import type { Database } from "../state/d1/database.ts";
import type { Databases } from "../state/d1/databases.ts";
import type { ReadConnections } from "../state/reads/open-bytes.ts";
import type { SpeculativeRead } from "../state/reads/speculative-read.ts";
import type { Settings } from "../config/settings.ts";

/** Credentials as a request names them, not yet verified. */
export interface NamedCredentials {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** The scope of the signature; undefined for a form, whose scope is S3 in the configured region. */
  readonly scope?: { readonly region: string; readonly service: string };
}

/** The principal of verified credentials and its access. */
export interface Identity {
  readonly principal: Principal;
  readonly access: Access;
}

/** What a read may use before the lookups have answered. */
export interface SpeculationContext extends ReadConnections {
  /** The request's access key id; empty for an anonymous request. */
  readonly caller: string;
  /** Whether the request's signature is that of the caller's secret, as far as this isolate knows it. */
  isVerified(): Promise<boolean>;
  readonly settings: Settings;
  readonly now: number;
}

export interface Context {
  readonly request: S3Request;
  readonly principal: Principal;
  /** The inputs of the request that the operation declares. */
  readonly inputs: OperationInputs;
  /** The principal's access. Dispatch has already checked the operation's own actions. */
  readonly access: Access;
  readonly settings: Settings;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
  /** The database of the request's bucket. */
  readonly database: Database;
  /** All databases of the deployment. */
  readonly databases: Databases;
  /** The database of a bucket that the operation's lookups read. */
  databaseOf(bucketName: string): Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  /** Who causes the events of what the operation changes outside of coordinators. */
  readonly origin: EventOrigin;
  /**
   * Identifies credentials that the request has neither in its header nor in its query, but in a form.
   * @param verify verifies what they signed, with their secret
   * @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken, and what `verify` throws
   */
  identify(credentials: NamedCredentials, verify: (secretAccessKey: string) => Promise<void>): Promise<Identity>;
  /** Opens the request's body, once. Call it after every check that does not need the body. */
  openBody(): IncomingBody;
  /** Opens the body like {@link openBody}, even if its length is not announced. */
  openBodyOfAnySize(): IncomingBody | UnsizedBody;
  /** The cache near the reader; undefined if nothing is cached. */
  openEdgeCache(): Promise<EdgeCache | undefined>;
  /** Delivers due events of what work after the response has committed under the request's key. Never rejects. */
  deliverEvents(): Promise<void>;
  /** Lets work continue after the response. */
  waitUntil(work: Promise<unknown>): void;
  /** The request's access key id; empty for an anonymous request. */
  readonly caller: string;
  /** What was read beside the lookups. */
  readonly speculative: SpeculativeRead | undefined;
}
