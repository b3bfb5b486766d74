// What an operation is given besides its input and its facts.
import type { Access } from "../auth/access.ts";
import type { Principal } from "../auth/principal.ts";
import type { IncomingBody } from "../protocol/incoming-body.ts";
import type { S3Request } from "../protocol/s3-request.ts";
import type { BlobStore } from "../state/blob-store.ts";
import type { Coordinators } from "../state/coordinators.ts";
import type { Database } from "../state/database.ts";
import type { Settings } from "./settings.ts";

export interface Context {
  readonly request: S3Request;
  readonly principal: Principal;
  /** What the principal may do; dispatch has asked for the operation's own action. */
  readonly access: Access;
  readonly settings: Settings;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
  /** The database of the request's bucket. */
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  /** Opens the request's body; to be called once, after everything that can be refused without it. */
  openBody(): IncomingBody;
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void;
}
