// Makes what the account lacks of a deployment: the D1 databases and the R2 bucket.
import type { WranglerToml } from "../project/wrangler-toml.ts";
import type { Found } from "./account.ts";
import { type Api, field } from "./api.ts";
import { ApiFailure } from "./failure.ts";

/** Makes the databases and the bucket unless they are there, and returns the databases' ids by their bindings. */
export async function makeResources(
  api: Api,
  found: Found,
  { databases, r2 }: WranglerToml,
  location: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const { binding, databaseName } of databases) {
    ids.set(binding, found.databases.get(binding)?.id ?? (await makeDatabase(api, databaseName, location)));
  }
  if (!found.hasBucket) await makeBucket(api, r2.bucketName, location);
  return ids;
}

async function makeDatabase(api: Api, name: string, location: string | undefined): Promise<string> {
  const fields = { name, ...(location === undefined ? {} : { primary_location_hint: location }) };
  const made = await api.send("POST", "/d1/database", fields);
  return String(field(made, "uuid"));
}

async function makeBucket(api: Api, name: string, location: string | undefined): Promise<void> {
  const fields = { name, ...(location === undefined ? {} : { locationHint: location }) };
  await api.send("POST", "/r2/buckets", fields).catch((error: unknown) => {
    // Another deployment has made it meanwhile.
    if (!(error instanceof ApiFailure && error.code === 10_004)) throw error;
  });
}
