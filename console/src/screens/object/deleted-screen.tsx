// Lists the deleted keys of a bucket that still have versions: their newest version is a delete marker.
import { useState } from "preact/hooks";
import type { Connection } from "../../clients/connection.ts";
import { undeleteKey } from "../../clients/object-versions.ts";
import { isReachable } from "../../clients/paths.ts";
import { type ListedVersion, listVersions, type VersionPage } from "../../clients/versions.ts";
import { BucketPage } from "../../components/bucket-page.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { explainInOneLine } from "../../data/explain.ts";
import { formatTime } from "../../data/formats.ts";
import { hrefOf, navigate } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { Name } from "../../components/name.tsx";
import "./object.css";

interface Deleted {
  readonly markers: readonly ListedVersion[];
  readonly next: VersionPage["next"];
}

/** Pages are loaded until there are this many rows. */
const WANTED = 100;
const PAGES_MAX = 20;

export function DeletedScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const prefix = props.query["prefix"] ?? "";
  const connection = useConnection();
  const change = useChange();
  const [text, setText] = useState(prefix);
  const loaded = useLoad((signal) => deletedBelow(connection, bucket, prefix, undefined, signal), [bucket, prefix]);
  const { value } = loaded;
  const restore = (key: string): void => {
    undeleteKey(connection, { bucket, key }).then(
      (isBack) => {
        showToast(isBack ? t("deleted.restored", { key }) : t("deleted.onlyMarkers", { key }));
        loaded.reload();
      },
      (failure: unknown) => showToast(explainInOneLine(failure), { kind: "failure" }),
    );
  };
  const loadMore = ({ markers, next }: Deleted): void =>
    void change.run(async () => {
      const more = await deletedBelow(connection, bucket, prefix, next);
      loaded.replace({ markers: [...markers, ...more.markers], next: more.next });
    });
  return (
    <BucketPage bucket={bucket} section="deleted">
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          navigate(["buckets", bucket, "deleted"], { prefix: text === "" ? undefined : text });
        }}
      >
        <TextField label={t("deleted.prefix")} type="search" value={text} onChange={setText} />
        <Button type="submit">{t("deleted.show")}</Button>
      </form>
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />}
      {value === undefined ? (
        loaded.failure === undefined && <Skeleton lines={6} />
      ) : value.markers.length === 0 ? (
        <EmptyState title={t("deleted.empty.title")}>
          <p>{t("deleted.empty.text")}</p>
        </EmptyState>
      ) : (
        <Table
          label={t("deleted.title")}
          columns={columnsOf(bucket, restore)}
          rows={value.markers}
          rowKey={({ key }) => key}
        />
      )}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      {value?.next === undefined ? null : (
        <p>
          <Button isBusy={change.isBusy} onClick={() => loadMore(value)}>
            {t("buckets.loadMore")}
          </Button>
        </p>
      )}
    </BucketPage>
  );
}

function columnsOf(bucket: string, restore: (key: string) => void): Column<ListedVersion>[] {
  return [
    {
      id: "key",
      title: t("object.toKey"),
      isHeader: true,
      cell: ({ key }) =>
        isReachable(key) ? (
          <a class="object-break" href={hrefOf(["buckets", bucket, "object"], { key, tab: "versions" })}>
            <Name text={key} />
          </a>
        ) : (
          <Name text={key} isBroken />
        ),
    },
    { id: "time", title: t("deleted.time"), cell: ({ modifiedAt }) => formatTime(modifiedAt) },
    {
      id: "restore",
      title: t("versions.restore"),
      hidesTitle: true,
      cell: ({ key }) => <Button onClick={() => restore(key)}>{t("versions.restore")}</Button>,
    },
  ];
}

/** The next deleted keys. Pages of versions are loaded until one has some. */
async function deletedBelow(
  connection: Connection,
  bucket: string,
  prefix: string,
  from: VersionPage["next"],
  signal?: AbortSignal,
): Promise<Deleted> {
  const markers: ListedVersion[] = [];
  let after = from;
  for (let pages = 0; pages < PAGES_MAX && markers.length < WANTED; pages += 1) {
    const page: VersionPage = await listVersions(connection, bucket, {
      prefix,
      ...(after && { after }),
      ...(signal && { signal }),
    });
    markers.push(...page.versions.filter(({ isLatest, isDeleteMarker }) => isLatest && isDeleteMarker));
    after = page.next;
    if (after === undefined) break;
  }
  return { markers, next: after };
}
