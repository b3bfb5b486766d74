// Shows a PDF in the browser's own viewer. The file is fetched as `application/pdf`, and only if it begins like a PDF, so
// the browser never treats it as HTML.
import { useEffect, useState } from "preact/hooks";
import { type ObjectAddress, readStart } from "../../../clients/object.ts";
import { ErrorPanel } from "../../../components/error-panel.tsx";
import { Skeleton } from "../../../components/placeholders.tsx";
import { useConnection } from "../../../data/session.ts";
import { useLoad } from "../../../data/use-load.ts";
import { t } from "../../../i18n/language.ts";

/** The whole file has to be in memory. */
const PDF_MAX_BYTES = 64 * 1024 * 1024;

export function PdfPreview({ address, bytes }: { readonly address: ObjectAddress; readonly bytes: number }) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const isTooBig = bytes > PDF_MAX_BYTES;
  const [url, setUrl] = useState<string>();
  const loaded = useLoad(
    async (signal) => (isTooBig ? undefined : await readStart(connection, address, PDF_MAX_BYTES, signal)),
    [bucket, key, versionId, isTooBig],
  );
  const { value } = loaded;
  const isPdf = value !== undefined && new TextDecoder("latin1").decode(value.subarray(0, 1024)).includes("%PDF-");
  useEffect(() => {
    if (value === undefined || !isPdf) return undefined;
    const made = URL.createObjectURL(new Blob([value], { type: "application/pdf" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [value, isPdf]);
  if (isTooBig) return <p>{t("objectPreview.tooBig")}</p>;
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />;
  if (loaded.isLoading) return <Skeleton lines={8} />;
  if (!isPdf) return <p>{t("objectPreview.none")}</p>;
  return url === undefined ? null : <iframe class="object-frame" src={url} title={t("objectPreview.heading")} />;
}
