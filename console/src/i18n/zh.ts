// The Chinese dictionary, loaded when it is chosen.
import type { Dictionary } from "./en.ts";
import { access } from "./zh/access.ts";
import { buckets } from "./zh/buckets.ts";
import { errors } from "./zh/errors.ts";
import { objects } from "./zh/objects.ts";
import { object } from "./zh/object.ts";
import { objectPreview } from "./zh/object-preview.ts";
import { transfer } from "./zh/transfer.ts";
import { search } from "./zh/search.ts";
import { download } from "./zh/download.ts";
import { objectVersions } from "./zh/object-versions.ts";
import { share } from "./zh/share.ts";
import { settings } from "./zh/settings.ts";
import { settingsRules } from "./zh/settings-rules.ts";
import { shell } from "./zh/shell.ts";
import { indexes } from "./zh/indexes.ts";
import { snapshots } from "./zh/snapshots.ts";
import { signIn } from "./zh/sign-in.ts";
import { uploads } from "./zh/uploads.ts";
import { health } from "./zh/health.ts";
import { jobs } from "./zh/jobs.ts";
import { userLimits } from "./zh/user-limits.ts";
import { addresses } from "./zh/addresses.ts";

export const zh: Dictionary = {
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
};
