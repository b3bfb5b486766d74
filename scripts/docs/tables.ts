// Generates the tables of operations and settings as text. Pure, so that the house test can check whether they are fresh.
import type { Implementation, Operation } from "../../src/contract/operation.ts";
import { replaceSection } from "./sections.ts";
import { unimplementedTable } from "./unimplemented.ts";

type SettingTable = Readonly<Record<string, { readonly default: string; readonly meaning: string }>>;

/** Returns a text with a fresh table between `<!-- operations -->` and `<!-- /operations -->`. */
export function withFreshOperations(text: string, operations: readonly Operation[]): string {
  return replaceSection(text, "operations", operationsTable(operations));
}

/** Returns a text with a fresh table between `<!-- settings -->` and `<!-- /settings -->`. */
export function withFreshSettings(text: string, settings: SettingTable): string {
  return replaceSection(text, "settings", settingsTable(settings));
}

function operationsTable(operations: readonly Operation[]): string {
  const built = operations.filter(({ implementation }) => implementation !== undefined);
  const named = new Set(
    operations.filter(({ implementation }) => implementation === undefined).map(({ name }) => name),
  );
  const rows = built.map(({ name, route, implementation }) => {
    const path = { service: "/", bucket: "/{bucket}", object: "/{bucket}/{key}", tags: "/v20180820/tags/{arn}" }[
      route.level
    ];
    const query = route.query === undefined || route.query.length === 0 ? "" : `?${route.query.join("&")}`;
    const header = route.header === undefined ? "" : ` with \`${route.header}\``;
    return `| ${name} | \`${route.method} ${path}${query}\`${header} | ${implementation === undefined ? "" : actionsOf(implementation)} |`;
  });
  return [
    "| Operation | Request | Action |",
    "| --- | --- | --- |",
    ...rows.toSorted(),
    "",
    "Operations of S3 that are not implemented. Those that a request to Cairn can name are answered with `501 NotImplemented`:",
    "",
    unimplementedTable(Array.from(named).toSorted()),
  ].join("\n");
}

/** The actions that an operation asks for, each with the case in which it does. */
function actionsOf({ actions, versionActions, furtherActions }: Implementation): string {
  const ofVersions = versionActions === undefined ? "" : ` (of a version ${spellings(versionActions)})`;
  const further = furtherActions.map(({ action, when }) => `\`${action}\`${when === undefined ? "" : ` ${when}`}`);
  return [spellings(actions) + ofVersions, ...further].join("; ");
}

function spellings(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(" or ");
}

function settingsTable(settings: SettingTable): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const value = setting.default === "" ? "–" : `\`${setting.default}\``;
    return `| \`${name}\` | ${value} | ${setting.meaning} |`;
  });
  return ["| Setting | Default | Meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
