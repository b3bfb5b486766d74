// What an operation is given besides its input and its facts.
import type { Access } from "../auth/access/access.ts";
import type { Principal } from "../auth/identity/principal.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import type { OperationInputs } from "../protocol/core/operation-inputs.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import type { Database } from "../state/d1/database.ts";
import type { Settings } from "../config/settings.ts";

/** Credentials as a request names them. */
export interface NamedCredentials {
  readonly accessKeyId: string;
  readonly sessionToken: string | undefined;
  /** What they were used for; of a form: S3, in the region of the settings. */
  readonly scope?: { readonly region: string; readonly service: string };
}

/** Whom credentials belong to, and what that one may do. */
export interface Identity {
  readonly principal: Principal;
  readonly access: Access;
}

export interface Context {
  readonly request: S3Request;
  readonly principal: Principal;
  /** What the operation obeys of the request. */
  readonly inputs: OperationInputs;
  /** What the principal may do; dispatch has asked for the operation's own actions. */
  readonly access: Access;
  readonly settings: Settings;
  /** When the request began, in milliseconds since the epoch. */
  readonly now: number;
  /** The database of the request's bucket. */
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  /**
   * Tells whose credentials are named where neither the header nor the query has them: in a form.
   * @param verify verifies what they signed, with their secret
   * @throws S3Error InvalidAccessKeyId, InvalidToken, ExpiredToken, and what `verify` throws
   */
  identify(credentials: NamedCredentials, verify: (secretAccessKey: string) => Promise<void>): Promise<Identity>;
  /** Opens the request's body; to be called once, after everything that can be refused without it. */
  openBody(): IncomingBody;
  /** Lets work go on after the answer. */
  waitUntil(work: Promise<unknown>): void;
}
