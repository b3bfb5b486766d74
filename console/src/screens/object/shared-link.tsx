// Shows a link with a copy button and a QR code. The library for the code is loaded only for it.
import { useId, useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { formatDuration } from "../../data/formats.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";

/** In seconds. Signatures are valid for at most seven days. */
export const LINK_TIMES = [900, 3600, 12 * 3600, 86_400, 3 * 86_400, 7 * 86_400] as const;

export function timeOptions(): [value: string, label: string][] {
  return LINK_TIMES.map((seconds) => [String(seconds), formatDuration(seconds * 1000)]);
}

export interface SharedLinkProps {
  readonly url: string;
  readonly label: string;
  /** When it ends. */
  readonly note: string;
}

export function SharedLink({ url, label, note }: SharedLinkProps) {
  const id = useId();
  const [hasCode, setCode] = useState(false);
  return (
    <div class="object-link">
      <label for={id} class="visually-hidden">
        {label}
      </label>
      <textarea
        id={id}
        class="code"
        rows={3}
        readOnly
        value={url}
        onFocus={({ currentTarget }) => currentTarget.select()}
      />
      <p class="hint" role="status">
        {note}
      </p>
      <p class="actions">
        <CopyButton text={url} />
        <Button onClick={() => setCode(!hasCode)}>{hasCode ? t("share.hideCode") : t("share.showCode")}</Button>
      </p>
      {hasCode ? <QrCode text={url} /> : null}
    </div>
  );
}

/** Light modules around the code, which scanners need. */
const MARGIN = 4;

function QrCode({ text }: { readonly text: string }) {
  const drawn = useLoad(async () => {
    const { encodeQR } = await import("qr");
    const rows = encodeQR(text, "raw", { ecc: "low", border: MARGIN });
    const path = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
    return { path, size: rows.length };
  }, [text]);
  if (drawn.failure !== undefined) return <p>{t("share.tooLong")}</p>;
  if (drawn.value === undefined) return null;
  const { path, size } = drawn.value;
  return (
    <svg
      class="object-code"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={t("share.codeLabel")}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
