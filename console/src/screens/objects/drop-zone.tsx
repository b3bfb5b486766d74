// Uploads files and folders that are dropped anywhere on the screen of a folder.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { filesOfDrop } from "../../data/dropped-files.ts";
import type { NewUpload } from "../../data/uploads.ts";
import { t } from "../../i18n/language.ts";

export interface DropZoneProps {
  readonly prefix: string;
  /** Uploads are impossible here, so a drop does nothing. */
  readonly isDisabled: boolean;
  readonly onFiles: (files: readonly NewUpload[]) => void;
  readonly children: ComponentChildren;
}

export function DropZone({ prefix, isDisabled, onFiles, children }: DropZoneProps) {
  const [isOver, setOver] = useState(false);
  return (
    <div
      class={`drop-zone${isOver ? " over" : ""}`}
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(!isDisabled);
      }}
      onDragLeave={(event) => {
        if (event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)) return;
        setOver(false);
      }}
      onDrop={(event) => {
        if (!hasFiles(event) || event.dataTransfer === null) return;
        event.preventDefault();
        setOver(false);
        if (isDisabled) return;
        void filesOfDrop(event.dataTransfer, prefix).then(onFiles);
      }}
    >
      {children}
      {isOver ? <p class="drop-hint">{t("uploads.dropHint", { prefix: prefix || "/" })}</p> : null}
    </div>
  );
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") === true;
}
