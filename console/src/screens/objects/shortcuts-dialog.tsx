// The list of keyboard shortcuts.
import { Dialog } from "../../components/dialog.tsx";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";

const SHORTCUTS: readonly (readonly [keys: readonly string[], text: TextKey])[] = [
  [["j", "↓"], "objects.shortcut.next"],
  [["k", "↑"], "objects.shortcut.previous"],
  [["Enter"], "objects.shortcut.open"],
  [["u", "⌫"], "objects.shortcut.up"],
  [["x"], "objects.shortcut.select"],
  [["/"], "objects.shortcut.filter"],
  [["Delete"], "objects.shortcut.delete"],
  [["?"], "objects.shortcut.help"],
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={t("objects.shortcuts")} onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, text]) => (
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
