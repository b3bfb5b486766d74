// Shows the dialog of the chosen action on rows.
import { snapshotAt } from "../../clients/snapshots.ts";
import { DeleteObjectsDialog } from "./delete-objects-dialog.tsx";
import { RenameDialog } from "./rename-dialog.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import type { Question } from "./row-actions.ts";
import { TransferDialog } from "./transfer-dialog.tsx";

export interface RowDialogsProps {
  readonly bucket: string;
  /** The folder that shows the rows. */
  readonly prefix: string;
  readonly question: Question | undefined;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function RowDialogs({ bucket, prefix, question, onClose, onChanged }: RowDialogsProps) {
  if (question === undefined) return null;
  const { ask, rows } = question;
  const dialog = { bucket, rows, onClose, onChanged };
  switch (ask) {
    case "delete":
      return <DeleteObjectsDialog {...dialog} />;
    case "move":
    case "copy":
      return (
        <TransferDialog {...dialog} kind={ask} prefix={prefix} defaultBucket={snapshotAt(bucket)?.bucket ?? bucket} />
      );
    case "rename":
      return <RenameDialog {...dialog} />;
    case "restore":
      return <RestoreDialog {...dialog} />;
  }
}
