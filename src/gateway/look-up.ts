// Runs the lookups of a request: one batch for each database that they concern, in parallel. The isolate remembers the
// database of a bucket, and the bucket's own row confirms it; otherwise the registry in the first database names it.
import type { PreparedOperation } from "../contract/operation.ts";
import type { Connections } from "../contract/connections.ts";
import type { Database, Statement, StatementResult } from "../state/d1/database.ts";
import { readTogether, type DatabaseBatch, type Databases } from "../state/d1/databases.ts";
import { discardLocation, recallLocation, rememberLocation } from "../state/metadata/bucket-locations.ts";
import { lookUpDatabases } from "../state/metadata/placements.ts";

/** The results of a request's lookups. */
export interface RequestLookup {
  readonly identityResults: readonly StatementResult[];
  readonly results: readonly StatementResult[];
  /** The database of a bucket that the lookups read; the first for a bucket that does not exist. */
  databaseOf(bucketName: string): Database;
}

/**
 * Looks up the credentials, in the first database, and what the operation needs, in the databases of its buckets.
 * @param addressed the name of the addressed bucket, if the request addresses one
 */
export async function lookUpRequest(
  { databases }: Pick<Connections, "databases">,
  identity: readonly Statement[],
  prepared: Pick<PreparedOperation, "statements"> | undefined,
  addressed: string | undefined,
): Promise<RequestLookup> {
  const statements = prepared?.statements ?? [];
  const { first } = databases;
  if (!databases.areSeveral) {
    const all = await first.read([...identity, ...statements]);
    const results = all.slice(identity.length);
    return { identityResults: all.slice(0, identity.length), results, databaseOf: () => first };
  }
  const parts = partsOf(statements, addressed);
  const round = await lookUpRound(databases, identity, parts);
  const results = statements.map((_, index) => round.results.get(index) ?? NO_ROWS);
  const { locations } = round;
  return {
    identityResults: round.identityResults,
    results,
    databaseOf: (bucketName) => locations.get(bucketName) ?? first,
  };
}

const NO_ROWS: StatementResult = { rows: [], changes: 0 };

/** The statements that read one bucket, with their positions among all. */
interface BucketPart {
  readonly bucketName: string;
  readonly statements: readonly (readonly [position: number, statement: Statement])[];
}

/** Groups statements by bucket. Those of an operation without a bucket read the first database. */
function partsOf(statements: readonly Statement[], addressed = ""): BucketPart[] {
  const positioned = statements.map((statement, index) => [index, statement] as const);
  return Array.from(
    Map.groupBy(positioned, ([, { bucketName }]) => bucketName ?? addressed),
    ([bucketName, of]) => ({ bucketName, statements: of }),
  );
}

interface Round {
  readonly identityResults: readonly StatementResult[];
  readonly results: Map<number, StatementResult>;
  /** The database in which each bucket was found. */
  readonly locations: Map<string, Database>;
}

async function lookUpRound(
  databases: Databases,
  identity: readonly Statement[],
  parts: readonly BucketPart[],
): Promise<Round> {
  const round: Round = { identityResults: [], results: new Map(), locations: new Map() };
  const tried = new Map(parts.map((part) => [part, remembered(databases, part)]));
  const unknown = parts.filter((part) => tried.get(part)?.isFirst === true);
  const first = await runRound(databases, identity, unknown, tried);
  record(round, tried, first.batches);
  const missing = parts.filter((part) => !round.locations.has(part.bucketName) && part.bucketName !== "");
  // A hint that no row confirms: the bucket is in the first database, where the registry says, or nowhere.
  const stale = missing.filter((part) => !unknown.includes(part));
  for (const { bucketName } of stale) discardLocation(bucketName);
  let registered = first.registered;
  if (stale.length > 0) {
    const retried = new Map(stale.map((part) => [part, databases.first]));
    const second = await runRound(databases, [], stale, retried);
    record(round, retried, second.batches);
    registered = new Map([...registered, ...second.registered]);
  }
  const elsewhere = new Map(
    missing.flatMap((part) => {
      const name = round.locations.has(part.bucketName) ? undefined : registered.get(part.bucketName);
      return name === undefined ? [] : [[part, databases.named(name)] as const];
    }),
  );
  if (elsewhere.size > 0) {
    const last = await runRound(databases, [], [], elsewhere);
    record(round, elsewhere, last.batches);
  }
  return { ...round, identityResults: first.identityResults };
}

function remembered(databases: Databases, { bucketName }: BucketPart): Database {
  const name = recallLocation(bucketName);
  return (name === undefined ? undefined : databases.find(name)) ?? databases.first;
}

interface RoundResults {
  readonly identityResults: readonly StatementResult[];
  /** The registry's databases of the buckets that it was asked for. */
  readonly registered: ReadonlyMap<string, string>;
  readonly batches: ReadonlyMap<BucketPart, readonly StatementResult[]>;
}

/** @param registry parts whose buckets are looked up in the registry as well */
async function runRound(
  { first }: Databases,
  identity: readonly Statement[],
  registry: readonly BucketPart[],
  placed: ReadonlyMap<BucketPart, Database>,
): Promise<RoundResults> {
  const names = registry.map(({ bucketName }) => bucketName).filter((name) => name !== "");
  const registryLookup = lookUpDatabases(names);
  const batches: DatabaseBatch[] = [
    { database: first, statements: identity },
    { database: first, statements: names.length === 0 ? [] : registryLookup.statements },
    ...Array.from(placed, ([{ statements }, database]) => ({ database, statements: statements.map(([, one]) => one) })),
  ];
  const [identityResults = [], registryResults = [], ...ofParts] = await readTogether(batches);
  return {
    identityResults,
    registered: registryLookup.read(registryResults),
    batches: new Map(Array.from(placed.keys(), (part, index) => [part, ofParts[index] ?? []])),
  };
}

/** Records results, and where buckets were found. A lookup of a bucket that does not exist returns no rows. */
function record(
  { results, locations }: Round,
  tried: ReadonlyMap<BucketPart, Database>,
  batches: ReadonlyMap<BucketPart, readonly StatementResult[]>,
): void {
  for (const [part, ofPart] of batches) {
    const database = tried.get(part);
    for (const [index, [position]] of part.statements.entries()) results.set(position, ofPart[index] ?? NO_ROWS);
    const isFound = ofPart[0] !== undefined && ofPart[0].rows.length > 0;
    if (!isFound || database === undefined) continue;
    locations.set(part.bucketName, database);
    if (!database.isFirst) rememberLocation(part.bucketName, database.name);
  }
}
