// Re-encrypts access key secrets that use a previous master key, so that the old key can be retired.
import { loadKeyRing } from "../config/master-keys.ts";
import { lookUpSecretsOf, replaceSecret, type StoredSecret } from "../state/identities/access-keys.ts";
import type { Statement } from "../state/d1/database.ts";
import type { KeyRing } from "../auth/identity/key-ring.ts";
import type { Job } from "./job.ts";

const PAGE_SECRETS = 100;

export const resealSecrets: Job = {
  name: "reseal-secrets",

  async step({ database, settings }, cursor) {
    const keys = await loadKeyRing(settings);
    if (keys === undefined || keys.previousVersions.length === 0) return { cursor: null, report: {} };
    const found = await database.look(lookUpSecretsOf(keys.previousVersions, cursor ?? "", PAGE_SECRETS));
    const statements = (await Promise.all(found.map((secret) => reencrypt(keys, secret)))).filter(
      (statement) => statement !== undefined,
    );
    await database.batch(statements);
    const unopened = found.length - statements.length;
    const last = found.length === PAGE_SECRETS ? found.at(-1) : undefined;
    return { cursor: last?.accessKeyId ?? null, report: { resealed: statements.length, unopened } };
  },
};

async function reencrypt(keys: KeyRing, secret: StoredSecret): Promise<Statement | undefined> {
  const text = await keys.decrypt(secret, secret.accessKeyId);
  return text === undefined ? undefined : replaceSecret(secret, await keys.encrypt(text, secret.accessKeyId));
}
