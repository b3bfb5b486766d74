// The English dictionary. It defines the keys: a key that another language lacks is a type error.
import { access } from "./en/access.ts";
import { buckets } from "./en/buckets.ts";
import { errors } from "./en/errors.ts";
import { objects } from "./en/objects.ts";
import { object } from "./en/object.ts";
import { objectPreview } from "./en/object-preview.ts";
import { transfer } from "./en/transfer.ts";
import { search } from "./en/search.ts";
import { download } from "./en/download.ts";
import { objectVersions } from "./en/object-versions.ts";
import { share } from "./en/share.ts";
import { settings } from "./en/settings.ts";
import { settingsRules } from "./en/settings-rules.ts";
import { shell } from "./en/shell.ts";
import { indexes } from "./en/indexes.ts";
import { snapshots } from "./en/snapshots.ts";
import { signIn } from "./en/sign-in.ts";
import { uploads } from "./en/uploads.ts";
import { health } from "./en/health.ts";
import { jobs } from "./en/jobs.ts";
import { userLimits } from "./en/user-limits.ts";
import { addresses } from "./en/addresses.ts";

export const en = {
  ...shell,
  ...signIn,
  ...errors,
  ...buckets,
  ...object,
  ...objectPreview,
  ...objectVersions,
  ...share,
  ...settings,
  ...settingsRules,
  ...objects,
  ...uploads,
  ...health,
  ...transfer,
  ...search,
  ...download,
  ...access,
  ...snapshots,
  ...indexes,
  ...jobs,
  ...userLimits,
  ...addresses,
} as const;

/** The name of a text. */
export type TextKey = keyof typeof en;

/** The texts of a language. */
export type Dictionary = Readonly<Record<TextKey, string>>;
