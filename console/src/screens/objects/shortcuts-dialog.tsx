// The list of keyboard shortcuts.
import { snapshotAt } from "../../clients/snapshots.ts";
import { Dialog } from "../../components/dialog.tsx";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";

const SHORTCUTS: readonly (readonly [keys: readonly string[], text: TextKey])[] = [
  [["?"], "objects.shortcut.help"],
  [["j", "↓"], "objects.shortcut.next"],
  [["k", "↑"], "objects.shortcut.previous"],
  [["Home", "End"], "objects.shortcut.ends"],
  [["Enter"], "objects.shortcut.open"],
  [["u", "⌫"], "objects.shortcut.up"],
  [["x"], "objects.shortcut.select"],
  [["a"], "objects.shortcut.selectAll"],
  [["/"], "objects.shortcut.filter"],
  [["d"], "objects.shortcut.download"],
  [["c"], "objects.shortcut.copy"],
];

const IN_BUCKETS: typeof SHORTCUTS = [
  [["m"], "objects.shortcut.move"],
  [["r", "F2"], "objects.shortcut.rename"],
  [["Delete"], "objects.shortcut.delete"],
  [["p"], "addresses.shortcut"],
];

const IN_SNAPSHOTS: typeof SHORTCUTS = [[["r"], "objects.shortcut.restore"]];

export interface ShortcutsDialogProps {
  readonly bucket: string;
  readonly onClose: () => void;
}

export function ShortcutsDialog({ bucket, onClose }: ShortcutsDialogProps) {
  const more = snapshotAt(bucket) === undefined ? IN_BUCKETS : IN_SNAPSHOTS;
  return (
    <Dialog title={t("objects.shortcuts")} onClose={onClose}>
      <dl class="shortcuts">
        {[...SHORTCUTS, ...more].map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
