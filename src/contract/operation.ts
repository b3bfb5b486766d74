// What an operation is: a declaration with a route, the action it needs, and three beats: read the input off the wire,
// run on what one round trip brought, write the answer. The closure made here hides the types in between, so that the
// table of operations is a plain array.
import type { ObjectSubject } from "../auth/access/authorization-request.ts";
import type { XmlElement } from "../bytes/xml.ts";
import { joinInputs, type DeclaredInputs, type OperationInputs } from "../protocol/core/operation-inputs.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket, BucketFacts } from "../state/metadata/buckets.ts";
import type { Lookup, Statement, StatementResult } from "../state/d1/database.ts";
import type { Context } from "./context.ts";
import { lookUpAddressedSnapshot, refuseSnapshot, refuseSnapshotName } from "./snapshot-address.ts";
import type { Settings } from "../config/settings.ts";

/** The part of a request by which its operation is recognised. The most specific route that fits wins. */
export interface Route {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly level: "service" | "bucket" | "object" | "tags";
  /** Query terms that must be there: `name`, or `name=value`. The first names the subresource. */
  readonly query?: readonly string[];
  /** A header that must be there. */
  readonly header?: string;
}

/** An answer before it is rendered. A stream's length is in its Content-Length header, a text's type in its Content-Type. */
export interface S3Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: XmlElement | ReadableStream<Uint8Array> | string | undefined;
}

/**
 * Who asks whether an operation is allowed: dispatch, or `run` where only that knows on what, or both in turn. Where
 * `run` asks, it also has the request refused that says two things.
 */
export type Authorizes = "dispatch" | "run" | "both";

/** An action that an operation asks for besides its own, in some cases or on something else. */
export interface FurtherAction {
  readonly action: string;
  /** In which case, or on what; undefined: always, and on the same. */
  readonly when?: string;
}

/** Values of condition keys by lower-case name. */
export type ConditionValues = ReadonlyMap<string, readonly string[]>;

interface Declaration<Input, Facts extends BucketFacts, Output> {
  /** The operation's name in AWS's API. */
  readonly name: string;
  /** The spellings of the action that policies allow or deny, S3's own first. */
  readonly actions: readonly string[];
  /** Those that are asked for instead where the request names a version, or reads a snapshot. */
  readonly versionActions?: readonly string[];
  /** Actions checked only for an explicit Deny; no Allow is required. */
  readonly alsoDeniedBy?: readonly string[];
  /** Actions that `run` asks for besides. */
  readonly furtherActions?: readonly FurtherAction[];
  /** `dispatch` where it is left out. */
  readonly authorizes?: Authorizes;
  readonly route: Route;
  /** What it obeys besides its route. */
  readonly inputs?: DeclaredInputs;
  /** False for an s3:PutObject that begins an upload or adds a part to one. */
  readonly createsObject?: boolean;
  /** Whether it can be asked of a snapshot of a bucket; every other operation is refused there. */
  readonly readsSnapshots?: boolean;
  /** Reads the input; throws S3Error for what is malformed. Touches no body. */
  readonly read: (request: S3Request, settings: Settings) => Input | Promise<Input>;
  /** The version that is acted on, where its tags and its access control list bear on the decision. */
  readonly subject?: (facts: Facts) => ObjectSubject | undefined;
  /** Condition keys that follow from what is known, and not from a header or parameter of their name. */
  readonly conditionKeys?: (input: Input, facts: Facts) => ConditionValues;
  /** What must be known before it runs; its statements go in the request's one round trip. */
  readonly lookUp: (input: Input, request: S3Request) => Lookup<Facts>;
  readonly run: (context: Context, input: Input, facts: Facts & { readonly bucket: Bucket }) => Promise<Output>;
  readonly write: (output: Output, input: Input) => S3Response;
}

/** An operation whose input has been read. */
export interface PreparedOperation {
  readonly statements: readonly Statement[];
  /** Takes the results of the statements. */
  resume(results: readonly StatementResult[]): ResumedOperation;
}

/** An operation that knows its bucket and is ready to run once it is authorised. */
export interface ResumedOperation {
  readonly bucket: Bucket | undefined;
  readonly subject: ObjectSubject | undefined;
  /** Whether the object that the operation is about is not there. */
  readonly isMissing: boolean;
  readonly conditionKeys: ConditionValues | undefined;
  execute(context: Context): Promise<S3Response>;
}

/** An operation that is built. */
export interface Implementation {
  readonly actions: readonly string[];
  readonly versionActions: readonly string[] | undefined;
  readonly alsoDeniedBy: readonly string[] | undefined;
  readonly furtherActions: readonly FurtherAction[];
  readonly authorizes: Authorizes;
  /** What it obeys, its route included. */
  readonly inputs: OperationInputs;
  readonly createsObject: boolean;
  /** Whether the answer is NoSuchBucket where the bucket is not there. */
  readonly needsBucket: boolean;
  prepare(request: S3Request, settings: Settings): Promise<PreparedOperation>;
}

/** A row of the operation table. */
export interface Operation {
  readonly name: string;
  readonly route: Route;
  /** Undefined for an operation that S3 has and Cairn has not. */
  readonly implementation: Implementation | undefined;
}

/** Declares an operation on a bucket or on an object in one. Dispatch answers NoSuchBucket for it. */
export function defineOperation<Input, Facts extends BucketFacts, Output>(
  declaration: Declaration<Input, Facts, Output>,
): Operation {
  return {
    name: declaration.name,
    route: declaration.route,
    implementation: {
      actions: declaration.actions,
      versionActions: declaration.versionActions,
      alsoDeniedBy: declaration.alsoDeniedBy,
      furtherActions: declaration.furtherActions ?? [],
      authorizes: declaration.authorizes ?? "dispatch",
      inputs: inputsOf(declaration),
      createsObject: declaration.createsObject ?? true,
      needsBucket: true,
      async prepare(request, settings) {
        if (declaration.readsSnapshots !== true) refuseSnapshot(declaration.name, request);
        const input = await declaration.read(request, settings);
        const lookup = declaration.lookUp(input, request);
        const snapshot = lookUpAddressedSnapshot(request.address);
        const count = lookup.statements.length;
        return {
          statements: [...lookup.statements, ...snapshot.statements],
          resume(results) {
            const facts = lookup.read(results.slice(0, count));
            const absence = snapshot.read(results.slice(count));
            const { bucket } = facts;
            const subject = declaration.subject?.(facts);
            return {
              bucket,
              subject,
              isMissing: declaration.subject !== undefined && subject === undefined,
              conditionKeys: declaration.conditionKeys?.(input, facts),
              async execute(context) {
                if (bucket === undefined) throw new Error(`${declaration.name} ran without its bucket`);
                if (absence !== undefined) throw absence;
                return declaration.write(await declaration.run(context, input, { ...facts, bucket }), input);
              },
            };
          },
        };
      },
    },
  };
}

interface ServiceDeclaration<Input, Output> {
  readonly name: string;
  readonly actions: readonly string[];
  readonly furtherActions?: readonly FurtherAction[];
  readonly authorizes?: Authorizes;
  readonly route: Route;
  readonly inputs?: DeclaredInputs;
  readonly read: (request: S3Request, settings: Settings) => Input | Promise<Input>;
  readonly run: (context: Context, input: Input) => Promise<Output>;
  readonly write: (output: Output, input: Input) => S3Response;
}

/** Declares an operation that needs no bucket to be there: on the service, or one that makes the bucket. */
export function defineServiceOperation<Input, Output>(declaration: ServiceDeclaration<Input, Output>): Operation {
  return {
    name: declaration.name,
    route: declaration.route,
    implementation: {
      actions: declaration.actions,
      versionActions: undefined,
      alsoDeniedBy: undefined,
      furtherActions: declaration.furtherActions ?? [],
      authorizes: declaration.authorizes ?? "dispatch",
      inputs: inputsOf(declaration),
      createsObject: false,
      needsBucket: false,
      async prepare(request, settings) {
        refuseSnapshotName(request);
        const input = await declaration.read(request, settings);
        return {
          statements: [],
          resume: () => ({
            bucket: undefined,
            subject: undefined,
            isMissing: false,
            conditionKeys: undefined,
            execute: async (context) => declaration.write(await declaration.run(context, input), input),
          }),
        };
      },
    },
  };
}

/** What an operation obeys: what makes it its route, what every operation obeys, and what it declares. */
function inputsOf({
  route,
  inputs = {},
}: {
  readonly route: Route;
  readonly inputs?: DeclaredInputs;
}): OperationInputs {
  const { query = [], header } = route;
  const ofRoute = {
    query: query.map((term) => term.split("=")[0] ?? term),
    headers: header === undefined ? [] : [header],
  };
  return joinInputs(inputs, ofRoute, { headers: ["x-amz-expected-bucket-owner"] });
}

/** Names an operation of S3's that Cairn answers with 501 NotImplemented, so that no other takes its place. */
export function notImplemented(
  name: string,
  method: Route["method"],
  level: Route["level"],
  ...query: readonly string[]
): Operation {
  return { name, route: { method, level, query }, implementation: undefined };
}
