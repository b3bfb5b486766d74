// Lists the keys that were added, changed or deleted since a snapshot.
import type { Snapshot } from "../../clients/snapshots.ts";
import { Badge } from "../../components/badge.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { Table } from "../../components/table.tsx";
import { compareWithNow } from "../../data/compare-snapshot.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";
import { Name } from "../../components/name.tsx";

const KINDS = { added: "good", changed: "warning", deleted: "danger" } as const;
/** More rows would only slow the page. */
const SHOWN_MAX = 500;

export interface CompareDialogProps {
  readonly bucket: string;
  readonly snapshot: Snapshot;
  readonly onClose: () => void;
}

export function CompareDialog({ bucket, snapshot, onClose }: CompareDialogProps) {
  const connection = useConnection();
  const { value, failure, reload } = useLoad(
    (signal) => compareWithNow(connection, bucket, snapshot.address, "", signal),
    [bucket, snapshot.address],
  );
  return (
    <Dialog title={t("snapshots.compareOne", { snapshot: snapshot.name })} isWide onClose={onClose}>
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {value === undefined ? (
        failure === undefined && <Skeleton lines={4} />
      ) : (
        <>
          <p>{plural("snapshots.differences", value.length)}</p>
          {value.length > SHOWN_MAX ? <p class="hint">{t("snapshots.first", { count: SHOWN_MAX })}</p> : null}
          <Table
            label={t("snapshots.compare")}
            rows={value.slice(0, SHOWN_MAX)}
            rowKey={({ key }) => key}
            columns={[
              { id: "key", title: t("inProgress.key"), isHeader: true, cell: ({ key }) => <Name text={key} /> },
              {
                id: "kind",
                title: t("snapshots.since"),
                cell: ({ kind }) => <Badge kind={KINDS[kind]}>{t(`snapshots.${kind}`)}</Badge>,
              },
            ]}
          />
        </>
      )}
    </Dialog>
  );
}
