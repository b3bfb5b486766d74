// The Workers part of the stand-in: scripts, their versions, deployments, secrets, schedules and workers.dev.
import { randomBytes, randomUUID } from "node:crypto";
import { type Account, type Deployment, type Worker, deployedVersion } from "./account.ts";
import { type Answer, ApiError, isRecord, readFields, textOf } from "./answers.ts";
import { openAssetSession, uploadAssets } from "./assets.ts";
import { type Upload, readUpload } from "./upload.ts";

interface Call {
  readonly method: string;
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly request: Request;
  /** The bearer token. */
  readonly token: string;
}

const CRONS = { free: 5, paid: 250 };

/** Answers `/workers/…`. */
export async function answerWorkers(account: Account, call: Call): Promise<Answer> {
  const [collection, name = "", ...rest] = call.rest;
  switch (collection) {
    case "subdomain":
      return { result: { subdomain: subdomainOf(account) } };
    case "services":
      return answerService(existing(account, name, 10_090));
    case "workers":
      return { result: describedSubdomain(account, existing(account, name)) };
    case "domains":
      return { result: describedDomains(account, call.query.get("hostname")) };
    case "assets":
      if (name !== "upload" || call.method !== "POST") break;
      return uploadAssets(account, call.token, call.request);
    case "scripts":
      return answerScript(account, name, { ...call, rest });
    default:
  }
  throw new ApiError(404, 7003, `Could not route to /workers/${call.rest.join("/")}`);
}

function answerService(worker: Worker): Answer {
  const script = {
    id: worker.name,
    tag: worker.tag,
    tags: [],
    migration_tag: worker.migrationTag,
    last_deployed_from: "wrangler",
  };
  return { result: { id: worker.name, default_environment: { environment: "production", script } } };
}

async function answerScript(
  account: Account,
  name: string,
  { method, rest, body, query, request }: Call,
): Promise<Answer> {
  const [part, id] = rest;
  if (part === undefined && method === "PUT") {
    const upload = await readUpload(account, account.workers.get(name), request);
    const worker = account.workers.get(name) ?? newWorker(account, name);
    keep(worker, upload);
    deploy(worker, upload.version.id, upload.codeUpdateStrategy);
    worker.observability = upload.observability;
    return {
      result: { id: name, tag: worker.tag, deployment_id: upload.version.id.replaceAll("-", ""), startup_time_ms: 5 },
    };
  }
  if (part === "assets-upload-session" && method === "POST") return openAssetSession(account, name, body);
  const worker = existing(account, name);
  switch (`${method} ${part ?? ""}`) {
    case "GET deployments":
      return { result: { deployments: worker.deployments.map(describedDeployment) } };
    case "POST deployments":
      return { result: describedDeployment(createDeployment(worker, body)) };
    case "POST versions": {
      const upload = await readUpload(account, worker, request);
      if (upload.newClasses.length > 0)
        throw new ApiError(400, 10_211, "migrations must be fully applied by a deployment");
      if (upload.codeUpdateStrategy !== undefined)
        throw new ApiError(400, 10_021, "metadata: unknown field code_update_strategy");
      keep(worker, upload);
      return {
        result: { id: upload.version.id, startup_time_ms: 5, resources: { script: { etag: upload.version.id } } },
      };
    }
    case "GET versions":
      return {
        result:
          id === undefined
            ? { items: worker.versions.toReversed().map(({ id }) => describedVersion(worker, id)) }
            : describedVersion(worker, id),
      };
    case "GET settings":
      return {
        result: {
          bindings: (deployedVersion(worker)?.bindings ?? []).map(withoutSecret),
          observability: worker.observability,
        },
      };
    case "PATCH script-settings": {
      const settings = readFields(body, ["tail_consumers", "logpush", "observability", "tags"], 10_021);
      if (settings["observability"] !== undefined) worker.observability = settings["observability"];
      return { result: { observability: worker.observability } };
    }
    case "GET secrets":
      return { result: secretNames(worker).map((name) => ({ name, type: "secret_text" })) };
    case "PUT secrets":
      return putSecret(worker, body);
    case "PATCH secrets-bulk":
      return patchSecrets(worker, body);
    case "POST subdomain": {
      if (query.size > 0) throw new ApiError(400, 10_021, "unknown parameter");
      const { enabled, previews_enabled: previews } = readFields(body, ["enabled", "previews_enabled"], 10_021);
      subdomainOf(account);
      worker.isOnWorkersDev = enabled === true;
      worker.hasPreviews = previews === true;
      return { result: { enabled: worker.isOnWorkersDev, previews_enabled: worker.hasPreviews } };
    }
    case "PUT routes":
      worker.routes = listOf(body).map((route) => textOf(route, "pattern") ?? "");
      return { result: worker.routes };
    case "POST domains":
    case "PUT domains":
      return id === "records" ? putDomains(account, worker, body) : { result: changedDomains(account, worker, body) };
    case "PUT schedules":
      return putSchedules(account, worker, body);
    default:
      throw new ApiError(404, 7003, `Could not route to ${method} /workers/scripts/${name}/${rest.join("/")}`);
  }
}

function existing({ workers }: Account, name: string, code = 10_007): Worker {
  const worker = workers.get(name);
  if (worker === undefined) throw new ApiError(404, code, "This Worker does not exist on your account.");
  return worker;
}

function newWorker(account: Account, name: string): Worker {
  const worker: Worker = {
    name,
    tag: randomBytes(16).toString("hex"),
    migrationTag: undefined,
    durableObjectClasses: new Set(),
    versions: [],
    deployments: [],
    crons: [],
    isOnWorkersDev: false,
    hasPreviews: false,
    observability: undefined,
    routes: [],
  };
  account.workers.set(name, worker);
  return worker;
}

function keep(worker: Worker, { version, newClasses, migrationTag }: Upload): void {
  worker.versions.push(version);
  for (const name of newClasses) worker.durableObjectClasses.add(name);
  worker.migrationTag = migrationTag;
}

function deploy(worker: Worker, versionId: string, codeUpdateStrategy: unknown, message?: string): Deployment {
  const deployment: Deployment = {
    id: randomUUID(),
    createdOn: new Date().toISOString(),
    versions: [{ version_id: versionId, percentage: 100 }],
    codeUpdateStrategy,
    message,
  };
  worker.deployments.unshift(deployment);
  return deployment;
}

function createDeployment(worker: Worker, body: Buffer): Deployment {
  const known = ["strategy", "versions", "annotations", "code_update_strategy"];
  const { strategy, versions, annotations, code_update_strategy: update } = readFields(body, known, 10_021);
  if (strategy !== "percentage" || !Array.isArray(versions))
    throw new ApiError(400, 10_021, "the deployment is malformed");
  const [version]: unknown[] = versions;
  const id = isRecord(version) && version["percentage"] === 100 ? String(version["version_id"]) : "";
  if (!worker.versions.some((version) => version.id === id)) throw new ApiError(404, 10_206, "version not found");
  return deploy(worker, id, update, isRecord(annotations) ? textOf(annotations, "workers/message") : undefined);
}

function describedDeployment({ id, createdOn, versions, codeUpdateStrategy, message }: Deployment): object {
  return {
    id,
    source: "wrangler",
    strategy: "percentage",
    author_email: "person@example.com",
    created_on: createdOn,
    annotations: {
      "workers/triggered_by": "deployment",
      ...(message === undefined ? {} : { "workers/message": message }),
    },
    versions,
    code_update_strategy: codeUpdateStrategy,
  };
}

function describedVersion(worker: Worker, id: string): object {
  const version = worker.versions.find((version) => version.id === id);
  if (version === undefined) throw new ApiError(404, 10_206, "version not found");
  return {
    id,
    number: version.number,
    metadata: { created_on: version.createdOn, source: "wrangler", author_email: "person@example.com" },
    annotations: { "workers/triggered_by": "version_upload" },
    resources: {
      bindings: version.bindings.map(withoutSecret),
      script: { etag: id, handlers: ["fetch", "scheduled"] },
      script_runtime: {
        compatibility_date: version.compatibilityDate,
        usage_model: "standard",
        limits: version.limits,
      },
    },
  };
}

function withoutSecret({ text, ...binding }: Worker["versions"][number]["bindings"][number]): object {
  return binding.type === "secret_text" || text === undefined ? binding : { ...binding, text };
}

function secretNames(worker: Worker): string[] {
  return (deployedVersion(worker)?.bindings ?? []).filter(({ type }) => type === "secret_text").map(({ name }) => name);
}

/** Putting a secret creates a version, which is deployed at once. */
function putSecret(worker: Worker, body: Buffer): Answer {
  const { name, text, type } = readFields(body, ["name", "text", "type"], 10_053);
  const version = deployedVersion(worker);
  if (version === undefined || typeof name !== "string" || typeof text !== "string" || type !== "secret_text") {
    throw new ApiError(400, 10_053, "the secret is malformed");
  }
  const bindings = [...version.bindings.filter((binding) => binding.name !== name), { name, type, text }];
  const next = { ...version, id: randomUUID(), number: worker.versions.length + 1, bindings };
  worker.versions.push(next);
  deploy(worker, next.id, undefined);
  return { result: { name, type } };
}

/** Putting several secrets creates one version; null deletes a secret. */
function patchSecrets(worker: Worker, body: Buffer): Answer {
  const { secrets } = readFields(body, ["secrets"], 10_053);
  const version = deployedVersion(worker);
  if (version === undefined || !isRecord(secrets)) throw new ApiError(400, 10_053, "the secrets are malformed");
  const put = Object.entries(secrets).flatMap(([name, value]) => {
    if (value === null) return [];
    if (
      !isRecord(value) ||
      value["name"] !== name ||
      value["type"] !== "secret_text" ||
      textOf(value, "text") === undefined
    )
      throw new ApiError(400, 10_053, `the secret ${name} is malformed`);
    return [{ name, type: "secret_text", text: value["text"] }];
  });
  const bindings = [...version.bindings.filter(({ name }) => !Object.hasOwn(secrets, name)), ...put];
  const next = { ...version, id: randomUUID(), number: worker.versions.length + 1, bindings };
  worker.versions.push(next);
  deploy(worker, next.id, undefined);
  return { result: put.map(({ name, type }) => ({ name, type })) };
}

function listOf(body: Buffer): Record<string, unknown>[] {
  const value: unknown = JSON.parse(body.toString("utf8"));
  if (!Array.isArray(value) || !value.every(isRecord)) throw new ApiError(400, 10_021, "the list is malformed");
  return value;
}

function describedDomains({ customDomains }: Account, hostname: string | null): object[] {
  return Array.from(customDomains, ([name, service]) => ({ id: `domain-${name}`, hostname: name, service })).filter(
    (domain) => hostname === null || domain.hostname === hostname,
  );
}

/** What new custom domains would change. */
function changedDomains(account: Account, { name }: Worker, body: Buffer): object {
  const wanted = listOf(body).map((origin) => textOf(origin, "hostname") ?? "");
  const known = describedDomains(account, null);
  const updated = known.map((domain) => Object.assign(domain, { modified: Reflect.get(domain, "service") !== name }));
  const added = wanted.filter((hostname) => !account.customDomains.has(hostname)).map((hostname) => ({ hostname }));
  return { added, removed: [], updated, conflicting: [] };
}

function putDomains(account: Account, { name }: Worker, body: Buffer): Answer {
  const known = ["override_scope", "override_existing_origin", "override_existing_dns_record", "origins"];
  const { origins, override_existing_origin: overrides } = readFields(body, known, 10_021);
  for (const origin of Array.isArray(origins) ? origins : []) {
    const hostname = isRecord(origin) ? (textOf(origin, "hostname") ?? "") : "";
    const isWithin = account.zones.some((zone) => hostname === zone || hostname.endsWith(`.${zone}`));
    if (!isWithin) throw new ApiError(404, 100_114, `no zone for ${hostname}`);
    const service = account.customDomains.get(hostname);
    if (service !== undefined && service !== name && overrides !== true) {
      throw new ApiError(409, 100_116, `${hostname} is a custom domain of another Worker`);
    }
    account.customDomains.set(hostname, name);
  }
  return { result: null };
}

function putSchedules(account: Account, worker: Worker, body: Buffer): Answer {
  const value: unknown = JSON.parse(body.toString("utf8"));
  const crons = Array.isArray(value)
    ? value.map((entry: unknown) => (isRecord(entry) ? String(entry["cron"]) : ""))
    : [];
  const invalid = crons.find((cron) => !/^(\S+ ){4}\S+$/.test(cron));
  if (invalid !== undefined) throw new ApiError(400, 10_100, `invalid cron string: ${invalid}`);
  const others = [...account.workers.values()].filter((other) => other !== worker).flatMap(({ crons }) => crons);
  if (others.length + crons.length > CRONS[account.plan]) {
    throw new ApiError(403, 10_072, "You have exceeded the limit of cron triggers. Upgrade to the Workers Paid plan.");
  }
  worker.crons = crons;
  return { result: { schedules: crons.map((cron) => ({ cron })) } };
}

function subdomainOf({ subdomain }: Account): string {
  if (subdomain === undefined) throw new ApiError(404, 10_007, "You do not have a workers.dev subdomain.");
  return subdomain;
}

function describedSubdomain({ subdomain }: Account, worker: Worker): object {
  const url = subdomain === undefined ? undefined : `https://${worker.name}.${subdomain}.workers.dev`;
  return {
    id: worker.tag,
    name: worker.name,
    subdomain: { enabled: worker.isOnWorkersDev, previews_enabled: worker.hasPreviews, url },
  };
}
