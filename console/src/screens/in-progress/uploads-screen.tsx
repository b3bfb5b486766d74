// The multipart uploads of a bucket that were neither completed nor aborted.
import { useState } from "preact/hooks";
import { listParts } from "../../clients/multipart.ts";
import { abortUpload, listUploads, type OpenUpload, type UploadPage } from "../../clients/versions.ts";
import type { Connection } from "../../clients/connection.ts";
import { BucketPage } from "../../components/bucket-page.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { Table } from "../../components/table.tsx";
import { formatBytes, formatRelative, formatTime } from "../../data/formats.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { Name } from "../../components/name.tsx";

interface SizedUpload extends OpenUpload {
  /** The size of its parts; undefined if they cannot be listed. */
  readonly bytes: number | undefined;
}

export function UploadsScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const connection = useConnection();
  const [doomed, setDoomed] = useState<OpenUpload>();
  const { value, failure, isLoading, reload } = useLoad((signal) => sizedUploads(connection, bucket, signal), [bucket]);
  const actions = <Button icon="reload" label={t("action.reload")} kind="quiet" onClick={reload} />;
  return (
    <BucketPage bucket={bucket} section="uploads" actions={actions}>
      <p class="hint">{t("inProgress.lead")}</p>
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {value === undefined ? (
        isLoading && <Skeleton lines={4} />
      ) : value.length === 0 ? (
        <EmptyState title={t("inProgress.none")}>
          <p>{t("inProgress.noneText")}</p>
        </EmptyState>
      ) : (
        <Table
          label={t("bucket.uploads")}
          rows={value}
          rowKey={({ uploadId }) => uploadId}
          columns={[
            { id: "key", title: t("inProgress.key"), isHeader: true, cell: ({ key }) => <Name text={key} /> },
            {
              id: "size",
              title: t("inProgress.size"),
              isNumber: true,
              cell: ({ bytes }) => (bytes === undefined ? "–" : formatBytes(bytes)),
            },
            {
              id: "age",
              title: t("inProgress.started"),
              cell: ({ startedAt }) => (
                <span title={formatTime(startedAt)}>{formatRelative(startedAt, connection.now())}</span>
              ),
            },
            {
              id: "actions",
              title: t("action.more"),
              hidesTitle: true,
              cell: (upload) => (
                <Button
                  kind="quiet"
                  icon="trash"
                  label={t("inProgress.abortOne", { key: upload.key })}
                  onClick={() => setDoomed(upload)}
                />
              ),
            },
          ]}
        />
      )}
      {doomed === undefined ? null : (
        <ConfirmDialog
          title={t("inProgress.abortOne", { key: doomed.key })}
          confirmLabel={t("inProgress.abort")}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await abortUpload(connection, bucket, doomed);
            reload();
          }}
        >
          <p>{t("inProgress.abortText")}</p>
        </ConfirmDialog>
      )}
    </BucketPage>
  );
}

async function sizedUploads(connection: Connection, bucket: string, signal: AbortSignal): Promise<SizedUpload[]> {
  const found: SizedUpload[] = [];
  let after: UploadPage["next"];
  do {
    const page: UploadPage = await listUploads(connection, bucket, {
      signal,
      ...(after === undefined ? {} : { after }),
    });
    for (const { key, uploadId, startedAt, storageClass } of page.uploads) {
      const parts = await listParts(connection, { bucket, key }, uploadId, signal).catch(() => undefined);
      const bytes = parts?.reduce((sum, part) => sum + part.bytes, 0);
      found.push({ key, uploadId, startedAt, storageClass, bytes });
    }
    after = page.next;
  } while (after !== undefined);
  return found;
}
