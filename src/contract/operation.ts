// Declares operations: a route, actions, and three steps. `read` parses the input, `run` executes with the facts of one
// round trip, `write` renders the response. The closure hides the types between them, so the operation table is an
// array.
import type { ObjectSubject } from "../auth/access/authorization-request.ts";
import type { XmlElement } from "../bytes/xml.ts";
import { joinInputs, type DeclaredInputs, type OperationInputs } from "../protocol/core/operation-inputs.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import type { Bucket, BucketFacts } from "../state/metadata/buckets.ts";
import type { Lookup, Statement, StatementResult } from "../state/d1/database.ts";
import type { SpeculativeRead } from "../state/reads/speculative-read.ts";
import type { Context, SpeculationContext } from "./context.ts";
import { lookUpAddressedSnapshot, refuseSnapshot, refuseSnapshotName } from "./snapshot-address.ts";
import type { Settings } from "../config/settings.ts";

/** The part of a request that selects its operation. The most specific matching route wins. */
export interface Route {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly level: "service" | "bucket" | "object" | "tags";
  /** Required query terms: `name`, or `name=value`. The first names the subresource. */
  readonly query?: readonly string[];
  /** A required header. */
  readonly header?: string;
}

/** A response before rendering. The headers contain a stream's Content-Length and a text's Content-Type. */
export interface S3Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: XmlElement | ReadableStream<Uint8Array> | string | undefined;
}

/**
 * Where the operation's actions are authorized: in dispatch, in `run` when only `run` knows the resource, or in both.
 * An operation that authorizes in `run` also calls `refuseContradictions` there.
 */
export type Authorizes = "dispatch" | "run" | "both";

/** An action that an operation requires in addition to its own, in some cases or on another resource. */
export interface FurtherAction {
  readonly action: string;
  /** The case or resource, as documented; undefined: always, on the same resource. */
  readonly when?: string;
}

/** Values of condition keys by lower-case name. */
export type ConditionValues = ReadonlyMap<string, readonly string[]>;

interface Declaration<Input, Facts extends BucketFacts, Output> {
  /** The operation's name in AWS's API. */
  readonly name: string;
  /** The accepted spellings of the action in policies, S3's own first. */
  readonly actions: readonly string[];
  /** The actions required instead when the request names a version or reads a snapshot. */
  readonly versionActions?: readonly string[];
  /** Actions checked only for an explicit Deny; no Allow is required. */
  readonly explicitDenyActions?: readonly string[];
  /** Actions that `run` requires in addition. */
  readonly furtherActions?: readonly FurtherAction[];
  /** Defaults to `dispatch`. */
  readonly authorizes?: Authorizes;
  readonly route: Route;
  /** The inputs that it reads in addition to its route. */
  readonly inputs?: DeclaredInputs;
  /** False for an s3:PutObject that starts an upload or adds a part to one. */
  readonly createsObject?: boolean;
  /** Whether it accepts a snapshot's address. All other operations refuse one. */
  readonly readsSnapshots?: boolean;
  /** Parses the input without touching the body. @throws S3Error for malformed input */
  readonly read: (request: S3Request, settings: Settings) => Input | Promise<Input>;
  /** The addressed version, whose tags and access control list affect authorization. */
  readonly subject?: (facts: Facts) => ObjectSubject | undefined;
  /** Values of condition keys that do not come from a header or parameter of the same name. */
  readonly conditionKeys?: (input: Input, facts: Facts) => ConditionValues;
  /**
   * The facts that `run` needs. Their statements join the request's single round trip. The first one of each bucket
   * selects the bucket, and returns no row only if it does not exist.
   */
  readonly lookUp: (input: Input, request: S3Request) => Lookup<Facts>;
  /** Begins to read what the request probably returns, beside the lookups. `run` finds it in its context. */
  readonly speculate?: (context: SpeculationContext, input: Input) => Promise<SpeculativeRead | undefined>;
  readonly run: (context: Context, input: Input, facts: Facts & { readonly bucket: Bucket }) => Promise<Output>;
  readonly write: (output: Output, input: Input) => S3Response;
}

/** An operation whose input has been parsed. */
export interface PreparedOperation {
  readonly statements: readonly Statement[];
  /** Begins to read beside the lookups; undefined for an operation that does not. */
  readonly speculate: ((context: SpeculationContext) => Promise<SpeculativeRead | undefined>) | undefined;
  /** Continues with the results of the statements. */
  resume(results: readonly StatementResult[]): ResumedOperation;
}

/** An operation whose bucket is known and that is ready to run once it is authorized. */
export interface ResumedOperation {
  readonly bucket: Bucket | undefined;
  readonly subject: ObjectSubject | undefined;
  /** Whether the addressed object does not exist. */
  readonly isMissing: boolean;
  readonly conditionKeys: ConditionValues | undefined;
  execute(context: Context): Promise<S3Response>;
}

/** The implemented part of an operation. */
export interface Implementation {
  readonly actions: readonly string[];
  readonly versionActions: readonly string[] | undefined;
  readonly explicitDenyActions: readonly string[] | undefined;
  readonly furtherActions: readonly FurtherAction[];
  readonly authorizes: Authorizes;
  /** All inputs that it reads, including its route. */
  readonly inputs: OperationInputs;
  readonly createsObject: boolean;
  /** Whether a missing bucket results in NoSuchBucket. */
  readonly needsBucket: boolean;
  prepare(request: S3Request, settings: Settings): Promise<PreparedOperation>;
}

/** A row of the operation table. */
export interface Operation {
  readonly name: string;
  readonly route: Route;
  /** Undefined for an S3 operation that Cairn does not implement. */
  readonly implementation: Implementation | undefined;
}

/** Declares an operation on a bucket or object. Dispatch returns NoSuchBucket when the bucket does not exist. */
export function defineOperation<Input, Facts extends BucketFacts, Output>(
  declaration: Declaration<Input, Facts, Output>,
): Operation {
  return {
    name: declaration.name,
    route: declaration.route,
    implementation: {
      actions: declaration.actions,
      versionActions: declaration.versionActions,
      explicitDenyActions: declaration.explicitDenyActions,
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
        const { speculate } = declaration;
        return {
          speculate: speculate && (async (context) => speculate(context, input)),
          statements: [...lookup.statements, ...snapshot.statements],
          resume(results) {
            const facts = lookup.read(results.slice(0, count));
            const snapshotError = snapshot.read(results.slice(count));
            const { bucket } = facts;
            const subject = declaration.subject?.(facts);
            return {
              bucket,
              subject,
              isMissing: declaration.subject !== undefined && subject === undefined,
              conditionKeys: declaration.conditionKeys?.(input, facts),
              async execute(context) {
                if (bucket === undefined) throw new Error(`${declaration.name} ran without its bucket`);
                if (snapshotError !== undefined) throw snapshotError;
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

/** Declares an operation that needs no existing bucket: a service operation or CreateBucket. */
export function defineServiceOperation<Input, Output>(declaration: ServiceDeclaration<Input, Output>): Operation {
  return {
    name: declaration.name,
    route: declaration.route,
    implementation: {
      actions: declaration.actions,
      versionActions: undefined,
      explicitDenyActions: undefined,
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
          speculate: undefined,
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

/** All inputs of an operation: those of its route, those of every operation, and those that it declares. */
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

/** Declares an S3 operation that returns 501 NotImplemented, so that no less specific route matches it. */
export function notImplemented(
  name: string,
  method: Route["method"],
  level: Route["level"],
  ...query: readonly string[]
): Operation {
  return { name, route: { method, level, query }, implementation: undefined };
}
