// Shows where two versions differ: size, headers, user metadata, tags, storage class, checksums.
import type { Connection } from "../../../clients/connection.ts";
import { headObject, type ObjectAddress } from "../../../clients/object.ts";
import { getObjectTags } from "../../../clients/object-settings.ts";
import { ServiceError } from "../../../clients/failures.ts";
import { Table } from "../../../components/table.tsx";
import { formatBytes, formatCount } from "../../../data/formats.ts";
import { t } from "../../../i18n/language.ts";
import { Name } from "../../../components/name.tsx";

export interface VersionFacts {
  readonly type: string | undefined;
  /** The compared facts, by name. */
  readonly rows: ReadonlyMap<string, string>;
  /** False if the caller may not read the tags. */
  readonly hasTags: boolean;
}

export async function factsOf(
  connection: Connection,
  address: ObjectAddress,
  signal: AbortSignal,
): Promise<VersionFacts> {
  const [facts, tags] = await Promise.all([
    headObject(connection, address, signal),
    getObjectTags(connection, address, signal).catch((failure: unknown) => {
      if (failure instanceof ServiceError && failure.code === "AccessDenied") return undefined;
      throw failure;
    }),
  ]);
  const { bytes, etag, storageClass, served, metadata, checksums } = facts;
  const rows: [string, string][] = [
    [t("object.size"), bytes < 1024 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatCount(bytes)} B)`],
    [t("object.etag"), etag],
    [t("object.storageClass"), storageClass],
    ...Object.entries(served),
    ...Object.entries(metadata).map(([name, value]): [string, string] => [`x-amz-meta-${name}`, value]),
    ...Object.entries(checksums),
    ...(tags ?? []).map(({ key, value }): [string, string] => [t("versions.tag", { key }), value]),
  ];
  return { type: served["content-type"], rows: new Map(rows), hasTags: tags !== undefined };
}

export interface CompareFactsProps {
  readonly older: VersionFacts;
  readonly newer: VersionFacts;
  readonly titles: { readonly older: string; readonly newer: string };
}

export function CompareFacts({ older, newer, titles }: CompareFactsProps) {
  const names = [...new Set([...older.rows.keys(), ...newer.rows.keys()])];
  const different = names.filter((name) => older.rows.get(name) !== newer.rows.get(name));
  return (
    <>
      <h3>{t("versions.facts")}</h3>
      {older.hasTags && newer.hasTags ? null : <p class="hint">{t("versions.noTags")}</p>}
      {different.length === 0 ? (
        <p>{t("versions.sameFacts")}</p>
      ) : (
        <Table
          label={t("versions.facts")}
          rows={different}
          rowKey={(name) => name}
          columns={[
            { id: "name", title: t("objects.name"), isHeader: true, cell: (name) => <Name text={name} /> },
            { id: "older", title: titles.older, cell: (name) => <Value value={older.rows.get(name)} /> },
            { id: "newer", title: titles.newer, cell: (name) => <Value value={newer.rows.get(name)} /> },
          ]}
        />
      )}
    </>
  );
}

function Value({ value }: { readonly value: string | undefined }) {
  if (value === undefined) return <span class="hint">{t("versions.absent")}</span>;
  return <Name text={value} isBroken />;
}
