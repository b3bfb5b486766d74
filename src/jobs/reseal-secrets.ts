// Seals the secrets of access keys anew that were sealed under a master key of before, so that it can be thrown away.
import { openKeyRing } from "../contract/master-keys.ts";
import { lookUpSecretsOf, replaceSecret, type StoredSecret } from "../state/access-keys.ts";
import type { Statement } from "../state/database.ts";
import type { KeyRing } from "../auth/sealing.ts";
import type { Job } from "./job.ts";

const PAGE_SECRETS = 100;

export const resealSecrets: Job = {
  name: "reseal-secrets",

  async step({ database, settings }) {
    const keys = await openKeyRing(settings);
    if (keys === undefined || keys.previousVersions.length === 0) return { cursor: null, report: {} };
    const found = await database.look(lookUpSecretsOf(keys.previousVersions, PAGE_SECRETS));
    const statements = (await Promise.all(found.map((secret) => reseal(keys, secret)))).filter(
      (statement) => statement !== undefined,
    );
    await database.batch(statements);
    // Those that were sealed anew are not found again. Where none could be, what is left stays as it is.
    const hasMore = found.length === PAGE_SECRETS && statements.length > 0;
    const unopened = found.length - statements.length;
    return { cursor: hasMore ? "" : null, report: { resealed: statements.length, unopened } };
  },
};

async function reseal(keys: KeyRing, secret: StoredSecret): Promise<Statement | undefined> {
  const opened = await keys.open(secret, secret.accessKeyId);
  return opened === undefined ? undefined : replaceSecret(secret, await keys.seal(opened, secret.accessKeyId));
}
