// What an existing database needs that is not in it: the master key of its access keys, and the bucket with the bytes of its
// objects. A deployment that made new ones beside it would look complete, and its data would not be found.
import { MASTER_KEY } from "../project/master-key.ts";
import type { WranglerToml } from "../project/wrangler-toml.ts";
import type { Api } from "./api.ts";
import { DeployFailure } from "./failure.ts";
import { type RemoteSchema, runQuery } from "./schema.ts";

/** What a deployment is about to make. */
export interface ToMake {
  readonly secrets: readonly string[];
  readonly bucket: boolean;
}

/** Makes sure that nothing is made in place of what the rows of a database refer to. */
export async function requireWhatDataNeeds(
  api: Api,
  databaseId: string,
  { objects }: RemoteSchema,
  { d1, r2, vars }: Pick<WranglerToml, "d1" | "r2" | "vars">,
  toMake: ToMake,
): Promise<void> {
  const hasRow = async (table: string, condition = "true"): Promise<boolean> =>
    objects.has(`table ${table}`) &&
    (await runQuery(api, databaseId, `SELECT 1 FROM ${table} WHERE ${condition} LIMIT 1`)).length > 0;
  if (toMake.secrets.includes(MASTER_KEY) && (await hasRow("access_keys"))) {
    throw new DeployFailure(
      `The D1 database ${d1.databaseName} has access keys whose secrets are encrypted under a master key that the Worker lacks: set ${MASTER_KEY} to it in the environment and deploy again. If it is lost, set a new one (\`openssl rand -base64 32\`) and give every user new access keys.`,
    );
  }
  const isInR2 = vars["BLOB_STORE_ENDPOINT"] === undefined;
  if (toMake.bucket && isInR2 && ((await hasRow("objects", "size > 0")) || (await hasRow("versions", "size > 0")))) {
    throw new DeployFailure(
      `The D1 database ${d1.databaseName} has objects, and the account has no R2 bucket ${r2.bucketName} with their bytes: put the old bucket_name back in wrangler.toml, or set another database_name.`,
    );
  }
}
