// Declares the three operations (get, put, delete) of one bucket subresource. A configuration declares only how its
// document is parsed, stored and rendered.
import { addressedBucket } from "../protocol/core/addressing.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { DOCUMENT, joinInputs, type DeclaredInputs } from "../protocol/core/operation-inputs.ts";
import { S3Error, type S3ErrorCode } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Statement } from "../state/d1/database.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import type { Context } from "./context.ts";
import { defineOperation, type ConditionValues, type Operation, type S3Response } from "./operation.ts";

/** An operation's AWS name and the spellings of its action. */
interface Named {
  readonly name: string;
  readonly actions: readonly string[];
}

interface BucketConfiguration<Value> {
  /** The query parameter, as in `?cors`. */
  readonly subresource: string;
  readonly get: Named;
  readonly put: Named & {
    readonly status: 200 | 204;
    /** Inputs that a PUT reads in addition to its document. */
    readonly inputs?: DeclaredInputs;
    /** Condition keys of the document. If present, the PUT is authorized once the document is read. */
    readonly conditionKeys?: (value: Value) => ConditionValues;
    readonly headers?: (value: Value) => Readonly<Record<string, string>>;
  };
  readonly delete: Named;
  /** Returns a bucket's configuration, or undefined when it has none. */
  readonly load: (bucket: Bucket) => Value | undefined;
  /** The error of a GET when the bucket has none. Omitted when every bucket has one. */
  readonly missing?: S3ErrorCode;
  /** Reads and parses the body of a PUT. @throws S3Error */
  readonly parseBody: (context: Context, bucket: Bucket) => Promise<Value>;
  /** The statement that sets a configuration; undefined deletes it. */
  readonly store: (bucket: Bucket, value: Value | undefined) => Statement;
  /** Stores a configuration in more than one batch; returns false where `store` suffices. */
  readonly save?: (context: Context, bucket: Bucket, value: Value | undefined) => Promise<boolean>;
  /** The response to an error of `store`; undefined for an error that no client caused. */
  readonly refusal?: (error: unknown) => S3Error | undefined;
  readonly render: (value: Value) => Pick<S3Response, "body"> & Partial<Pick<S3Response, "headers">>;
}

/** Declares the operations of a configuration: get, put and delete, in this order. */
export function defineBucketConfiguration<Value>(declared: BucketConfiguration<Value>): readonly Operation[] {
  return [getOperation(declared), putOperation(declared), deleteOperation(declared)];
}

function getOperation<Value>({ get, subresource, load, missing, render }: BucketConfiguration<Value>): Operation {
  return defineOperation({
    name: get.name,
    actions: get.actions,
    ...addressing(subresource, "GET"),
    run(_context, { bucketName }, { bucket }) {
      const value = load(bucket);
      if (value === undefined) throw new S3Error(missing ?? "InternalError", { BucketName: bucketName });
      return Promise.resolve(value);
    },
    write: (value) => ({ status: 200, headers: {}, ...render(value) }),
  });
}

function putOperation<Value>(declared: BucketConfiguration<Value>): Operation {
  const { subresource, parseBody, refusal } = declared;
  const { name, actions, status, inputs: furtherInputs, conditionKeys, headers } = declared.put;
  return defineOperation({
    name,
    actions,
    authorizes: conditionKeys === undefined ? "dispatch" : "run",
    ...addressing(subresource, "PUT"),
    inputs: joinInputs(DOCUMENT, furtherInputs ?? {}),
    async run(context, _input, { bucket }) {
      const { access, inputs, request } = context;
      const authorization = { actions, bucket, bucketName: bucket.name, inputs };
      if (conditionKeys !== undefined) access.requirePossibleAllow(authorization);
      const value = await parseBody(context, bucket);
      if (conditionKeys !== undefined) {
        access.requireAllowed({ ...authorization, conditionKeys: conditionKeys(value) });
        await refuseContradictions(request, inputs);
      }
      try {
        await store(declared, context, bucket, value);
      } catch (error) {
        throw refusal?.(error) ?? error;
      }
      return value;
    },
    write: (value) => ({ status, headers: headers?.(value) ?? {} }),
  });
}

function deleteOperation<Value>(declared: BucketConfiguration<Value>): Operation {
  return defineOperation({
    name: declared.delete.name,
    actions: declared.delete.actions,
    ...addressing(declared.subresource, "DELETE"),
    run: async (context, _input, { bucket }) => store(declared, context, bucket, undefined),
    write: () => ({ status: 204, headers: {} }),
  });
}

/** The route of an operation, and the lookup of its bucket. */
function addressing(subresource: string, method: "GET" | "PUT" | "DELETE") {
  return {
    route: { level: "bucket", query: [subresource], method },
    read: ({ address }: S3Request) => ({ bucketName: addressedBucket(address) }),
    lookUp: ({ bucketName }: { readonly bucketName: string }) => lookUpBucket(bucketName),
  } as const;
}

/** Stores a configuration; undefined deletes it. */
async function store<Value>(
  declared: BucketConfiguration<Value>,
  context: Context,
  bucket: Bucket,
  value: Value | undefined,
): Promise<void> {
  if ((await declared.save?.(context, bucket, value)) === true) return;
  await context.database.batch([declared.store(bucket, value)]);
}
