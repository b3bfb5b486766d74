// The actions on rows of a list, which a row's menu, the selection bar and keyboard shortcuts offer.
import { snapshotAt } from "../../clients/snapshots.ts";
import { isReachable } from "../../clients/paths.ts";
import type { MenuAction } from "../../components/menu.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { t } from "../../i18n/language.ts";

export type Ask = "delete" | "move" | "copy" | "rename" | "restore";

/** An open dialog and its rows. */
export interface Question {
  readonly ask: Ask;
  readonly rows: readonly ObjectRow[];
}

/** The permitted actions on rows. A snapshot cannot change, but its objects can be restored to the bucket. */
export function asksFor(bucket: string, rows: readonly ObjectRow[]): readonly Ask[] {
  if (rows.length === 0) return [];
  if (snapshotAt(bucket) !== undefined) return ["restore", "copy"];
  return rows.length === 1 ? ["rename", "move", "copy", "delete"] : ["move", "copy", "delete"];
}

/** Cairn has no archives of snapshots. */
export function canDownload(bucket: string, rows: readonly ObjectRow[]): boolean {
  if (snapshotAt(bucket) === undefined) return rows.length > 0;
  return rows.length === 1 && rows[0]?.type === "object" && isReachable(rows[0].key);
}

export const ASK_TEXTS = {
  delete: "action.delete",
  move: "transfer.move",
  copy: "transfer.copy",
  rename: "transfer.rename",
  restore: "snapshots.restore",
} as const;

export interface RowMenuOptions {
  readonly bucket: string;
  readonly hrefFor: (row: ObjectRow) => string;
  readonly onDownload: (row: ObjectRow) => void;
  readonly onAsk: (question: Question) => void;
}

/** The menu of a row. */
export function menuOf(row: ObjectRow, { bucket, hrefFor, onDownload, onAsk }: RowMenuOptions): MenuAction[] {
  const isOpenable = row.type === "folder" || isReachable(row.key);
  const asks = asksFor(bucket, [row]).map((ask) => ({
    label: t(ASK_TEXTS[ask]),
    kind: ask === "delete" ? ("danger" as const) : ("plain" as const),
    onChoose: () => onAsk({ ask, rows: [row] }),
  }));
  return [
    ...(isOpenable ? [{ label: t("objects.open"), href: hrefFor(row) }] : []),
    ...(canDownload(bucket, [row])
      ? [{ label: t(row.type === "object" ? "download.action" : "download.zip"), onChoose: () => onDownload(row) }]
      : []),
    ...asks,
  ];
}
