// The suites of the console's checks, each with the name by which it can be chosen.
import type { Suite } from "../../test/clients/harness.ts";
import { manyObjectsSuite } from "./screens/many-objects.ts";
import { networkSuite } from "./screens/network.ts";
import { searchSuite } from "./screens/search.ts";
import { annotationsSuite } from "./screens/annotations.ts";
import { hostileNamesSuite } from "./screens/hostile-names.ts";
import { keyboardSuite } from "./screens/keyboard.ts";
import { transfersSuite } from "./screens/transfers.ts";
import { accessSuite } from "./screens/access.ts";
import { bucketsSuite } from "./screens/buckets.ts";
import { objectPreviewSuite } from "./screens/object-preview.ts";
import { objectShareSuite } from "./screens/object-share.ts";
import { objectVersionsSuite } from "./screens/object-versions.ts";
import { objectSuite } from "./screens/object.ts";
import { consoleHostSuite } from "./screens/console-host.ts";
import { clientSettingsSuite } from "./screens/client-settings.ts";
import { settingsSuite } from "./screens/settings.ts";
import { healthSuite } from "./screens/health.ts";
import { objectsSuite } from "./screens/objects.ts";
import { publicAddressesSuite } from "./screens/public-addresses.ts";
import { shellSuite } from "./screens/shell.ts";
import { snapshotsSuite } from "./screens/snapshots.ts";
import { signInSuite } from "./screens/sign-in.ts";
import { uploadsSuite } from "./screens/uploads.ts";
import type { Stage } from "./support/stage.ts";

export interface NamedSuite {
  readonly client: string;
  readonly of: (stage: Stage) => Suite;
}

export const SUITES: readonly NamedSuite[] = [
  { client: "sign-in", of: signInSuite },
  { client: "shell", of: shellSuite },
  { client: "buckets", of: bucketsSuite },
  { client: "object-page", of: objectSuite },
  { client: "object-preview", of: objectPreviewSuite },
  { client: "object-versions", of: objectVersionsSuite },
  { client: "object-share", of: objectShareSuite },
  { client: "settings", of: settingsSuite },
  { client: "objects", of: objectsSuite },
  { client: "uploads", of: uploadsSuite },
  { client: "health", of: healthSuite },
  { client: "many-objects", of: manyObjectsSuite },
  { client: "transfers", of: transfersSuite },
  { client: "search", of: searchSuite },
  { client: "network", of: networkSuite },
  { client: "access", of: accessSuite },
  { client: "client settings", of: clientSettingsSuite },
  { client: "snapshots", of: snapshotsSuite },
  { client: "keyboard", of: keyboardSuite },
  { client: "hostile-names", of: hostileNamesSuite },
  { client: "annotations", of: annotationsSuite },
  { client: "console-host", of: consoleHostSuite },
  { client: "public-addresses", of: publicAddressesSuite },
];
