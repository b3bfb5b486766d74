// A button that opens the browser's file chooser.
import { useRef } from "preact/hooks";
import { Button, type ButtonKind } from "./button.tsx";

export interface FileButtonProps {
  readonly label: string;
  readonly kind?: ButtonKind;
  readonly isMultiple?: boolean;
  /** Whether a folder is chosen. */
  readonly isFolder?: boolean;
  readonly onFiles: (files: FileList) => void;
}

export function FileButton({ label, kind = "plain", isMultiple = false, isFolder = false, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button kind={kind} icon="upload" onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        multiple={isMultiple}
        {...(isFolder ? { webkitdirectory: true } : {})}
        onChange={({ currentTarget }) => {
          if (currentTarget.files !== null && currentTarget.files.length > 0) onFiles(currentTarget.files);
          // The same file can be chosen again.
          currentTarget.value = "";
        }}
      />
    </>
  );
}
