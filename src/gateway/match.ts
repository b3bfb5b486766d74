// Matches a request with its operation. The most specific route that fits wins, so the table's order has no effect. A
// subresource that the winner does not have is an error.
import type { Operation, Route } from "../contract/operation.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../protocol/core/s3-request.ts";

/** The operations of one level of a table, prepared for matching. */
interface Level {
  readonly operations: readonly Operation[];
  readonly subresources: readonly string[];
  /** The subresources that only other levels have. */
  readonly foreignSubresources: readonly string[];
  /** The operations of each method, most specific first. */
  readonly byMethod: ReadonlyMap<string, readonly Operation[]>;
}

// A table never changes, so each of its levels is prepared once.
const PREPARED = new WeakMap<readonly Operation[], Map<Route["level"], Level>>();

function levelOf(table: readonly Operation[], level: Route["level"]): Level {
  const levels = PREPARED.get(table) ?? new Map<Route["level"], Level>();
  PREPARED.set(table, levels);
  const known = levels.get(level);
  if (known !== undefined) return known;
  const operations = table.filter(({ route }) => route.level === level);
  const own = subresources(operations);
  const bySpecificity = operations.toSorted((one, other) => specificity(other.route) - specificity(one.route));
  const prepared = {
    operations,
    subresources: own,
    foreignSubresources: subresources(table).filter((name) => !own.includes(name)),
    byMethod: Map.groupBy(bySpecificity, ({ route }) => route.method),
  };
  levels.set(level, prepared);
  return prepared;
}

/**
 * @throws S3Error MethodNotAllowed if the resource has no operation for the method, InvalidArgument for two
 *   subresources at once, InvalidRequest for a write to a subresource of another kind of resource
 */
export function matchOperation(table: readonly Operation[], request: S3Request): Operation {
  const { level } = request.address;
  const prepared = levelOf(table, level);
  if (request.method !== "GET" && request.method !== "HEAD") refuseForeignSubresource(prepared, request);
  const [winner, rival] = mostSpecific(prepared.byMethod.get(request.method) ?? [], request);
  const requested = prepared.subresources.filter((name) => request.query.has(name));
  if (rival !== undefined || requested.length > 1) {
    throw new S3Error("InvalidArgument", { ResourceType: requested.join(", ") }, "Conflicting query string parameters");
  }
  const [subresource] = requested;
  if (winner === undefined || (subresource !== undefined && subresourceOf(winner.route) !== subresource)) {
    const methods = prepared.operations
      .filter(({ route }) => subresourceOf(route) === subresource)
      .map(({ route }) => route.method);
    throw new S3Error(
      "MethodNotAllowed",
      { Method: request.method, ResourceType: (subresource ?? level).toUpperCase() },
      undefined,
      { Allow: Array.from(new Set(methods)).join(", ") },
    );
  }
  return winner;
}

/** The first fitting operation, and another that is equally specific, if there is one. */
function mostSpecific(operations: readonly Operation[], request: S3Request): Operation[] {
  const found: Operation[] = [];
  for (const operation of operations) {
    const [first] = found;
    if (first !== undefined && specificity(operation.route) < specificity(first.route)) break;
    if (fits(operation.route, request)) found.push(operation);
  }
  return found;
}

/**
 * A client that loses the key of an upload must not delete the bucket by aborting, nor an object by deleting a policy.
 */
function refuseForeignSubresource({ foreignSubresources }: Level, { address, query }: S3Request): void {
  const foreign = foreignSubresources.find((name) => query.has(name));
  if (foreign === undefined) return;
  const message = `The subresource ${foreign} is not one of ${address.level === "object" ? "an object" : `a ${address.level}`}.`;
  throw new S3Error("InvalidRequest", {}, message);
}

function fits(route: Route, request: S3Request): boolean {
  if (route.header !== undefined && requestHeader(request, route.header) === undefined) return false;
  return (route.query ?? []).every((term) => {
    const equals = term.indexOf("=");
    if (equals < 0) return request.query.has(term);
    return request.query.get(term.slice(0, equals)) === term.slice(equals + 1);
  });
}

function specificity({ query = [], header }: Route): number {
  return query.length + (header === undefined ? 0 : 1);
}

/** The name of a route's subresource: its first term, unless that term has a value. */
function subresourceOf({ query = [] }: Route): string | undefined {
  return query[0]?.includes("=") === true ? undefined : query[0];
}

function subresources(operations: readonly Operation[]): string[] {
  const names = new Set<string>();
  for (const { route } of operations) {
    const name = subresourceOf(route);
    if (name !== undefined) names.add(name);
  }
  return Array.from(names);
}
