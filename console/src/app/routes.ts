// The routes: which screen each place shows. A screen's code is loaded when it is first shown.
import type { FunctionComponent } from "preact";
import type { IconName } from "../components/icon.tsx";
import type { ScreenProps } from "../data/screen.ts";
import type { TextKey } from "../i18n/en.ts";

export type Screen = FunctionComponent<ScreenProps>;

export interface Route {
  /** Steps; one that begins with a colon matches any value. */
  readonly path: string;
  readonly load: () => Promise<Screen>;
}

function loadSettings(): Promise<Screen> {
  return import("../screens/settings/settings-screen.tsx").then((it) => it.SettingsScreen);
}

const ROUTES: readonly Route[] = [
  { path: "buckets", load: () => import("../screens/buckets/buckets-screen.tsx").then((it) => it.BucketsScreen) },
  { path: "buckets/:bucket", load: () => import("../screens/buckets/bucket-start.tsx").then((it) => it.BucketStart) },
  { path: "buckets/:bucket/settings", load: loadSettings },
  { path: "buckets/:bucket/settings/:tab", load: loadSettings },
  {
    path: "buckets/:bucket/objects",
    load: () => import("../screens/objects/objects-screen.tsx").then((it) => it.ObjectsScreen),
  },
  {
    path: "buckets/:bucket/deleted",
    load: () => import("../screens/object/deleted-screen.tsx").then((it) => it.DeletedScreen),
  },
  {
    path: "buckets/:bucket/object",
    load: () => import("../screens/object/object-screen.tsx").then((it) => it.ObjectScreen),
  },
  {
    path: "buckets/:bucket/search",
    load: () => import("../screens/objects/search-screen.tsx").then((it) => it.SearchScreen),
  },
  {
    path: "buckets/:bucket/snapshots",
    load: () => import("../screens/snapshots/snapshots-screen.tsx").then((it) => it.SnapshotsScreen),
  },
  {
    path: "buckets/:bucket/uploads",
    load: () => import("../screens/in-progress/uploads-screen.tsx").then((it) => it.UploadsScreen),
  },
  { path: "health", load: () => import("../screens/health/health-screen.tsx").then((it) => it.HealthScreen) },
  { path: "users", load: () => import("../screens/access/users-screen.tsx").then((it) => it.UsersScreen) },
  { path: "users/:user", load: () => import("../screens/access/user-screen.tsx").then((it) => it.UserScreen) },
];

export interface Section {
  /** The first step of its places. */
  readonly step: string;
  readonly title: TextKey;
  readonly icon: IconName;
}

/** The sections of the sidebar. */
export const SECTIONS: readonly Section[] = [
  { step: "buckets", title: "nav.buckets", icon: "bucket" },
  { step: "users", title: "nav.users", icon: "user" },
  { step: "health", title: "nav.health", icon: "health" },
];

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The route of a place. Fixed steps win over named ones. */
export function matchRoute(steps: readonly string[], routes: readonly Route[] = ROUTES): Match | undefined {
  const matches = routes.flatMap((route) => {
    const params = paramsOf(route.path.split("/"), steps);
    return params === undefined ? [] : [{ route, params }];
  });
  return matches.toSorted((one, other) => Object.keys(one.params).length - Object.keys(other.params).length)[0];
}

function paramsOf(pattern: readonly string[], steps: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== steps.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, step] of pattern.entries()) {
    const given = steps[index] ?? "";
    if (step.startsWith(":")) params[step.slice(1)] = given;
    else if (step !== given) return undefined;
  }
  return params;
}
