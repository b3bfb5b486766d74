// Matches a request with its operation and reads the input. An error is deferred until the requester is authenticated,
// so that anonymous requests cannot find out which operations are not implemented.
import type { AuthorizationRequest } from "../auth/access/authorization-request.ts";
import type { Settings } from "../config/settings.ts";
import type { Implementation, PreparedOperation, ResumedOperation } from "../contract/operation.ts";
import { addressedSnapshot } from "../protocol/core/addressing.ts";
import { checkBucketName } from "../protocol/core/bucket-name.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { matchOperation } from "./match.ts";
import { OPERATIONS } from "./operation-table.ts";
import type { RequestLog } from "./request-log.ts";

/** A request's operation, ready for its lookup; or the error to return after authentication. */
export type OperationPlan =
  | { readonly prepared: PreparedOperation; readonly name: string; readonly implementation: Implementation }
  | { readonly prepared: undefined; readonly error: unknown; readonly isNotImplemented: boolean };

export async function planOperation(request: S3Request, settings: Settings, log: RequestLog): Promise<OperationPlan> {
  try {
    const { address } = request;
    if (address.level !== "service") checkBucketName(address.bucket);
    const { name, implementation } = matchOperation(OPERATIONS, request);
    log.setOperation(name);
    if (implementation === undefined) {
      const error = new S3Error("NotImplemented", { Operation: name }, `${name} is not implemented.`);
      return { prepared: undefined, error, isNotImplemented: true };
    }
    return { prepared: await implementation.prepare(request, settings), name, implementation };
  } catch (error) {
    return { prepared: undefined, error, isNotImplemented: false };
  }
}

/** The authorization request for an operation's own actions. */
export function authorizationRequestOf(
  { address, query }: S3Request,
  { actions, versionActions, explicitDenyActions, inputs, createsObject }: Implementation,
  { bucket, subject, isMissing, conditionKeys }: ResumedOperation,
): AuthorizationRequest {
  return {
    actions: query.has("versionId") || addressedSnapshot(address) !== undefined ? (versionActions ?? actions) : actions,
    explicitDenyActions,
    bucket,
    bucketName: address.level === "service" ? undefined : address.bucket,
    key: address.level === "object" ? address.key : undefined,
    object: subject,
    isMissing,
    inputs,
    createsObject,
    conditionKeys,
  };
}
