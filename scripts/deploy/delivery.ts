// The Worker that only delivers (docs/delivery.md), as a deployment sees it: whether it is deployed, what stands against
// that, and the secrets that it shares with the S3 endpoint.
import { SETTINGS } from "../../src/config/settings.ts";
import { misspeltSettings } from "../../src/config/setting-problems.ts";
import { deliveryTarget, parseDelivery } from "../../src/protocol/core/host-names.ts";
import { type DeliveryToml, readDeliveryToml } from "../project/delivery-toml.ts";
import type { WranglerToml } from "../project/wrangler-toml.ts";
import { type Account, type Found, type FoundWorker, findWorker } from "./account.ts";
import { type Api, field, textField } from "./api.ts";
import { DeployFailure, explain } from "./failure.ts";
import { type Secrets, givenSecrets } from "./secrets.ts";

/** A Worker to deploy beside the S3 endpoint's. */
export interface DeliveryPlan {
  readonly toml: DeliveryToml;
  /** Undefined: it is new. */
  readonly worker: FoundWorker | undefined;
}

/** Secrets that only the S3 endpoint uses. */
const OF_ENDPOINT: ReadonlySet<string> = new Set(["METRICS_TOKEN", "EVENT_WEBHOOKS"]);

const SHARED: readonly string[] = Object.entries(SETTINGS).flatMap(([name, setting]) =>
  "isSecret" in setting && !OF_ENDPOINT.has(name) ? [name] : [],
);

/**
 * Finds out whether there is a delivery Worker to deploy: one with routes in wrangler.delivery.toml, or one that is
 * deployed already.
 * @throws DeployFailure if it is wanted and cannot be deployed
 */
export async function planDelivery(all: Api, found: Found, s3: WranglerToml): Promise<DeliveryPlan | undefined> {
  const toml = readDelivery(s3);
  if (toml === undefined) return undefined;
  const { account } = found;
  const api = all.below(`/accounts/${account.id}`);
  try {
    const worker = await findWorker(api, toml.name);
    const isOwn = worker !== undefined && deliversFrom(worker, s3);
    if (toml.routes.length === 0 && !isOwn) return undefined;
    if (worker !== undefined && !isOwn) {
      throw new DeployFailure(
        `The account has a Worker named ${toml.name} that does not deliver from the R2 bucket ${s3.r2.bucketName}: set another name in wrangler.delivery.toml.`,
      );
    }
    requireDelivered(toml);
    for (const { host } of toml.routes) await requireZone(all, found, host);
    await requireFreeHosts(api, toml, s3);
    return { toml, worker };
  } catch (error) {
    throw explain(error, account);
  }
}

/** The name of the deployed Worker that delivers from this Cairn, if there is one. */
export async function findDeliveryWorker(all: Api, account: Account, s3: WranglerToml): Promise<string | undefined> {
  const toml = readDelivery(s3);
  if (toml === undefined) return undefined;
  const worker = await findWorker(all.below(`/accounts/${account.id}`), toml.name);
  return worker !== undefined && deliversFrom(worker, s3) ? toml.name : undefined;
}

function readDelivery(s3: WranglerToml): DeliveryToml | undefined {
  let toml: DeliveryToml | undefined;
  try {
    toml = readDeliveryToml(s3);
  } catch (error) {
    throw new DeployFailure(error instanceof Error ? error.message : String(error), undefined, error);
  }
  const misspelt = misspeltSettings(toml?.vars ?? {});
  if (misspelt.length > 0) throw new DeployFailure(`[vars] of wrangler.delivery.toml: ${misspelt.join("; ")}`);
  return toml;
}

/** Whether a Worker is one that only delivers, and from this bucket, which no other Cairn uses. */
function deliversFrom({ bindings }: FoundWorker, s3: WranglerToml): boolean {
  const bindingOf = (name: string): unknown => bindings.find((binding) => field(binding, "name") === name);
  return (
    bindingOf(s3.d1.binding) !== undefined &&
    textField(bindingOf(s3.r2.binding), "bucket_name") === s3.r2.bucketName &&
    !bindings.some((binding) => field(binding, "type") === "durable_object_namespace")
  );
}

/** A routed host without a bucket would answer every visitor with 404. */
function requireDelivered({ routes, vars }: DeliveryToml): void {
  const hosts = parseDelivery(vars["DELIVERY"] ?? "");
  if (hosts === undefined) return;
  const isNamed = (host: string): boolean =>
    host.startsWith("*.")
      ? hosts.wildcards.some((one) => one === host.slice(2))
      : deliveryTarget(host, hosts) !== undefined;
  const missing = routes.find(({ host }) => !isNamed(host));
  if (missing === undefined) return;
  throw new DeployFailure(
    `wrangler.delivery.toml has a route for ${missing.host}, which DELIVERY in wrangler.toml does not name: add it there, or remove the route.`,
  );
}

async function requireZone(all: Api, { account }: Found, host: string): Promise<void> {
  const labels = host.replace(/^\*\.?/, "").split(".");
  for (let start = 0; start < labels.length - 1; start += 1) {
    const zones = await all.get("/zones", { name: labels.slice(start).join("."), "account.id": account.id });
    if (Array.isArray(zones) && zones.length > 0) return;
  }
  throw new DeployFailure(
    `The account ${account.name} has no zone for ${host}, or the API token lacks the permission "Zone: Read": add the domain at https://dash.cloudflare.com/${account.id}/domains, or remove the route from wrangler.delivery.toml.`,
  );
}

/** Without a terminal wrangler moves custom domains from other Workers, so the deployment looks first. */
async function requireFreeHosts(api: Api, { routes, name }: DeliveryToml, s3: WranglerToml): Promise<void> {
  for (const { host, isCustomDomain } of routes) {
    if (!isCustomDomain) continue;
    const domains = await api.get("/workers/domains", { hostname: host });
    const service = textField(Array.isArray(domains) ? domains[0] : undefined, "service");
    if (service === undefined || service === name || service === s3.name) continue;
    throw new DeployFailure(
      `The host ${host} is a custom domain of the Worker ${service}: remove it there, or remove the route from wrangler.delivery.toml.`,
    );
  }
}

/**
 * The secrets that the delivery Worker does not have yet, and the names of those whose values are not known: Cloudflare
 * does not show them.
 * @param known those that the S3 endpoint's Worker gets now
 */
export function deliverySecrets(
  { worker }: DeliveryPlan,
  known: Secrets,
  ofEndpoint: ReadonlySet<string>,
): { readonly secrets: Secrets; readonly unknown: readonly string[] } {
  const present = worker?.secrets ?? new Set();
  const wanted = SHARED.filter((name) => !present.has(name) && (name in known || ofEndpoint.has(name)));
  const given = givenSecrets(
    wanted.filter((name) => !(name in known)),
    process.env,
  );
  const secrets = Object.fromEntries(
    wanted.flatMap((name) => {
      const value = known[name] ?? given[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { secrets, unknown: wanted.filter((name) => !(name in secrets)) };
}
