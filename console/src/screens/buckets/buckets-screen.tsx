// The list of buckets: their usage, public access and actions.
import { useCallback, useMemo, useState } from "preact/hooks";
import { type ListedBucket, listBuckets } from "../../clients/buckets.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { Page } from "../../components/page.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { emptyBucket } from "../../data/empty-bucket.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { BucketTable } from "./bucket-table.tsx";
import { CreateBucketDialog } from "./create-bucket-dialog.tsx";
import { DeleteBucketDialog } from "./delete-bucket-dialog.tsx";
import { EmptyBucketDialog } from "./empty-bucket-dialog.tsx";
import { OpenBucketForm } from "./open-bucket-form.tsx";

type Shown = { readonly dialog: "create" } | { readonly dialog: "empty" | "delete"; readonly bucket: string };

export function BucketsScreen() {
  const connection = useConnection();
  const list = useLoad(() => allBuckets(connection), []);
  const [filter, setFilter] = useState("");
  const [shown, setShown] = useState<Shown>();
  const close = useCallback(() => setShown(undefined), []);
  const { value: buckets, failure, reload } = list;
  const matching = useMemo(
    () => buckets?.filter(({ name }) => name.includes(filter.trim().toLowerCase())),
    [buckets, filter],
  );

  return (
    <Page
      title={t("buckets.title")}
      actions={
        <>
          <Button icon="reload" label={t("action.reload")} kind="quiet" onClick={reload} />
          <Button icon="plus" kind="primary" onClick={() => setShown({ dialog: "create" })}>
            {t("buckets.create")}
          </Button>
        </>
      }
    >
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {matching === undefined ? (
        failure === undefined && <Skeleton lines={5} />
      ) : buckets?.length === 0 ? (
        <NoBuckets onCreate={() => setShown({ dialog: "create" })} />
      ) : (
        <>
          <TextField label={t("buckets.filter")} type="search" value={filter} onChange={setFilter} />
          {matching.length === 0 ? (
            <p class="hint">{t("buckets.noMatch", { text: filter })}</p>
          ) : (
            <BucketTable
              buckets={matching}
              list={list.value ?? matching}
              onEmpty={(bucket) => setShown({ dialog: "empty", bucket })}
              onDelete={(bucket) => setShown({ dialog: "delete", bucket })}
            />
          )}
        </>
      )}
      {buckets?.length === 0 || (buckets === undefined && failure === undefined) ? null : (
        <details open={buckets === undefined}>
          <summary>{t("buckets.notListed")}</summary>
          <OpenBucketForm />
        </details>
      )}
      {shown?.dialog === "create" ? <CreateBucketDialog onClose={close} onCreated={reload} /> : null}
      {shown?.dialog === "empty" ? (
        <EmptyBucketDialog
          bucket={shown.bucket}
          onClose={close}
          onConfirm={() => void emptyBucket(connection, shown.bucket, reload)}
        />
      ) : null}
      {shown?.dialog === "delete" ? (
        <DeleteBucketDialog
          bucket={shown.bucket}
          onClose={close}
          onDeleted={reload}
          onEmptyFirst={() => setShown({ dialog: "empty", bucket: shown.bucket })}
        />
      ) : null}
    </Page>
  );
}

async function allBuckets(connection: ReturnType<typeof useConnection>): Promise<readonly ListedBucket[]> {
  const found: ListedBucket[] = [];
  let token: string | undefined;
  do {
    const page = await listBuckets(connection, token);
    found.push(...page.buckets);
    token = page.nextToken;
  } while (token !== undefined);
  return found;
}

function NoBuckets({ onCreate }: { readonly onCreate: () => void }) {
  return (
    <EmptyState
      title={t("buckets.empty.title")}
      actions={
        <Button icon="plus" kind="primary" onClick={onCreate}>
          {t("buckets.create")}
        </Button>
      }
    >
      <p>{t("buckets.empty.text")}</p>
      <p>{t("buckets.empty.note")}</p>
      <OpenBucketForm />
    </EmptyState>
  );
}
