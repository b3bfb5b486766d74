// Generates README's tables as text. Pure, so that the house test can check whether they are fresh.
import type { Implementation, Operation } from "../../src/contract/operation.ts";

type SettingTable = Readonly<Record<string, { readonly default: string; readonly meaning: string }>>;

/** Returns a README with fresh tables between `<!-- name -->` and `<!-- /name -->`. */
export function withFreshTables(readme: string, operations: readonly Operation[], settings: SettingTable): string {
  const withOperations = replaceSection(readme, "operations", operationsTable(operations));
  return replaceSection(withOperations, "settings", settingsTable(settings));
}

function operationsTable(operations: readonly Operation[]): string {
  const implemented = operations.filter(({ implementation }) => implementation !== undefined);
  const unimplemented = new Set(
    operations.filter(({ implementation }) => implementation === undefined).map(({ name }) => name),
  );
  const rows = implemented.map(({ name, route, implementation }) => {
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
    `Known by name and answered with \`501 NotImplemented\`: ${Array.from(unimplemented).toSorted().join(", ")}.`,
  ].join("\n");
}

/** The actions that an operation requires, each with the case in which it does. */
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

/** Returns a text with new content between `<!-- name -->` and `<!-- /name -->`. */
export function replaceSection(readme: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = readme.indexOf(start);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the text has no section ${name}`);
  return `${readme.slice(0, from + start.length)}\n\n${content}\n\n${readme.slice(to)}`;
}
