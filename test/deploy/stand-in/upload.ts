// Reads a Worker's upload as strictly as Cloudflare does: fields it does not know, bindings to missing resources, limits
// on the Free plan and Durable Object migrations that do not follow each other are errors.
import { randomUUID } from "node:crypto";
import { type Account, type Binding, type Version, type Worker, deployedVersion } from "./account.ts";
import { ApiError, isRecord, textOf } from "./answers.ts";
import { readAssets } from "./assets.ts";

const METADATA = [
  "main_module",
  "bindings",
  "containers",
  "compatibility_date",
  "compatibility_flags",
  "keep_bindings",
  "migrations",
  "placement",
  "limits",
  "observability",
  "annotations",
  "code_update_strategy",
  "package_dependencies",
  "logpush",
  "tail_consumers",
  "tags",
  "cache_options",
  "exports",
  "assets",
];
const LIMITS = ["cpu_ms", "subrequests"];
const OBSERVABILITY = ["enabled", "head_sampling_rate", "logs", "traces", "redact_query_string"];
const BINDING_FIELDS: Readonly<Record<string, readonly string[]>> = {
  inherit: [],
  assets: [],
  plain_text: ["text"],
  json: ["json"],
  secret_text: ["text"],
  d1: ["id"],
  r2_bucket: ["bucket_name"],
  durable_object_namespace: ["class_name"],
};

export interface Upload {
  readonly version: Version;
  readonly migrationTag: string | undefined;
  readonly newClasses: readonly string[];
  readonly codeUpdateStrategy: unknown;
  readonly observability: unknown;
}

/** Reads an upload of a Worker, or refuses it. */
export async function readUpload(account: Account, worker: Worker | undefined, request: Request): Promise<Upload> {
  const form = await request.formData();
  const text = form.get("metadata");
  const metadata: unknown = JSON.parse(typeof text === "string" ? text : ((await text?.text()) ?? "null"));
  if (!isRecord(metadata)) throw invalid("the metadata part is missing");
  refuseUnknown(metadata, METADATA, "metadata");
  const modules = await readModules(form);
  const mainModule = String(metadata["main_module"]);
  const source = modules.get(mainModule);
  if (source === undefined) throw invalid(`No such module "${mainModule}".`);

  checkLimits(account, metadata["limits"]);
  checkObservability(metadata["observability"]);
  const { newClasses, tag } = readMigrations(worker, metadata["migrations"]);
  const classes = new Set([...(worker?.durableObjectClasses ?? []), ...newClasses]);
  for (const name of classes) {
    if (!new TextDecoder().decode(source).includes(name)) {
      const rest = "which is depended on by existing Durable Objects";
      throw new ApiError(400, 10_064, `New version of script does not export class '${name}' ${rest}`);
    }
  }
  const assets = readAssets(account, metadata["assets"]);
  return {
    version: {
      id: randomUUID(),
      number: (worker?.versions.length ?? 0) + 1,
      createdOn: new Date().toISOString(),
      bindings: readBindings(account, worker, metadata, classes),
      assets,
      modules,
      mainModule,
      compatibilityDate: String(metadata["compatibility_date"]),
      limits: metadata["limits"],
      placement: metadata["placement"],
    },
    migrationTag: tag,
    newClasses,
    codeUpdateStrategy: metadata["code_update_strategy"],
    observability: metadata["observability"],
  };
}

async function readModules(form: FormData): Promise<Map<string, Uint8Array>> {
  const modules = new Map<string, Uint8Array>();
  for (const [name, part] of form) {
    if (name !== "metadata" && typeof part !== "string")
      modules.set(part.name || name, new Uint8Array(await part.arrayBuffer()));
  }
  return modules;
}

function checkLimits({ plan }: Account, limits: unknown): void {
  if (limits === undefined) return;
  if (plan === "free") {
    throw new ApiError(
      400,
      100_328,
      "CPU limits are not supported for the Free plan. Upgrade to the Workers Paid plan.",
    );
  }
  if (!isRecord(limits)) throw invalid("limits is not an object");
  refuseUnknown(limits, LIMITS, "limits");
  const { cpu_ms: cpuMs, subrequests } = limits;
  if (cpuMs !== undefined && !isWhole(cpuMs, 10, 300_000)) throw invalid("limits.cpu_ms is out of range");
  if (subrequests !== undefined && !isWhole(subrequests, 1, 10_000_000))
    throw invalid("limits.subrequests is out of range");
}

function checkObservability(observability: unknown): void {
  if (observability === undefined) return;
  if (!isRecord(observability)) throw invalid("observability is not an object");
  refuseUnknown(observability, OBSERVABILITY, "observability");
}

function readMigrations(
  worker: Worker | undefined,
  migrations: unknown,
): { newClasses: string[]; tag: string | undefined } {
  if (migrations === undefined) return { newClasses: [], tag: worker?.migrationTag };
  if (!isRecord(migrations)) throw invalid("migrations is not an object");
  refuseUnknown(migrations, ["old_tag", "new_tag", "steps"], "migrations");
  const { new_tag: newTag, steps } = migrations;
  const oldTag = textOf(migrations, "old_tag");
  if (oldTag !== worker?.migrationTag) {
    const expected = `expected tag "${worker?.migrationTag ?? ""}", got "${oldTag ?? ""}"`;
    throw new ApiError(412, 10_079, `Actor migration tag precondition failed; ${expected}`);
  }
  const newClasses = (Array.isArray(steps) ? steps : []).flatMap((step: unknown) => {
    if (!isRecord(step)) throw invalid("a migration step is not an object");
    refuseUnknown(step, ["new_sqlite_classes", "new_classes", "renamed_classes", "deleted_classes"], "migration step");
    const { new_sqlite_classes: names = [] } = step;
    return Array.isArray(names) ? names.map(String) : [];
  });
  const again = newClasses.find((name) => worker?.durableObjectClasses.has(name) === true);
  if (again !== undefined) {
    const rest = "that is already depended on by existing Durable Objects";
    throw new ApiError(400, 10_074, `Cannot apply new-sqlite-class migration to class '${again}' ${rest}`);
  }
  return { newClasses, tag: String(newTag) };
}

function readBindings(
  account: Account,
  worker: Worker | undefined,
  metadata: Record<string, unknown>,
  classes: ReadonlySet<string>,
): Binding[] {
  const previous = new Map((deployedVersion(worker)?.bindings ?? []).map((binding) => [binding.name, binding]));
  const given: unknown = metadata["bindings"] ?? [];
  if (!Array.isArray(given)) throw invalid("bindings is not a list");
  const bindings = given.map((binding: unknown) =>
    readBinding(account, previous, classes, metadata["assets"] !== undefined, binding),
  );
  const names = new Set(bindings.map(({ name }) => name));
  if (names.size < bindings.length) throw invalid("two bindings have one name");
  const kept: unknown = metadata["keep_bindings"] ?? [];
  const isKept = ({ name, type }: Binding): boolean => Array.isArray(kept) && kept.includes(type) && !names.has(name);
  return [...bindings, ...[...previous.values()].filter(isKept)];
}

function readBinding(
  account: Account,
  previous: ReadonlyMap<string, Binding>,
  classes: ReadonlySet<string>,
  hasAssets: boolean,
  binding: unknown,
): Binding {
  if (!isRecord(binding)) throw invalid("a binding is not an object");
  const [name, type] = [String(binding["name"]), String(binding["type"])];
  const fields = BINDING_FIELDS[type];
  if (fields === undefined) throw invalid(`binding ${name} has the unknown type ${type}`);
  refuseUnknown(binding, ["name", "type", ...fields], `binding ${name}`);
  if (type === "inherit") {
    const inherited = previous.get(name);
    if (inherited === undefined)
      throw new ApiError(400, 10_057, `binding ${name} has no previous version to inherit from`);
    return inherited;
  }
  if (type === "assets" && !hasAssets) throw invalid(`binding ${name} needs static assets`);
  if (type === "d1" && !account.databases.some(({ uuid }) => uuid === binding["id"])) {
    throw invalid(`binding ${name} of type d1 must have a valid \`id\` specified`);
  }
  if (type === "r2_bucket" && !account.buckets.has(String(binding["bucket_name"]))) {
    throw new ApiError(
      400,
      10_085,
      `R2 bucket '${String(binding["bucket_name"])}' not found. Please use a different name and try again.`,
    );
  }
  if (type === "durable_object_namespace" && !classes.has(String(binding["class_name"]))) {
    const rest = "because it is not currently configured to implement Durable Objects";
    throw new ApiError(400, 10_061, `Cannot create binding for class '${String(binding["class_name"])}' ${rest}`);
  }
  return { ...binding, name, type };
}

function refuseUnknown(fields: Record<string, unknown>, known: readonly string[], where: string): void {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalid(`${where}: unknown field ${unknown.join(", ")}`);
}

function isWhole(value: unknown, least: number, greatest: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= greatest;
}

function invalid(message: string): ApiError {
  return new ApiError(400, 10_021, message);
}
