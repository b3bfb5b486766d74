// Shows the content of an object. Media play from a presigned URL; everything else is read as text and rendered as text
// nodes only. Of a large text only the beginning is fetched.
import { useState } from "preact/hooks";
import { type ObjectAddress, presignRead, readStart } from "../../../clients/object.ts";
import { ErrorPanel } from "../../../components/error-panel.tsx";
import { CheckField } from "../../../components/fields.tsx";
import { Skeleton } from "../../../components/placeholders.tsx";
import { formatBytes } from "../../../data/formats.ts";
import { useConnection } from "../../../data/session.ts";
import { useLoad } from "../../../data/use-load.ts";
import { t } from "../../../i18n/language.ts";
import { PdfPreview } from "./pdf-preview.tsx";
import { type PreviewKind, shownAs } from "./preview-kind.ts";
import { TEXT_MAX_BYTES, TextPreview } from "./text-preview.tsx";
import type { ObjectTabProps } from "../tabs.ts";

/** A film may be watched for long. */
const MEDIA_SECONDS = 6 * 3600;

export function PreviewTab({ address, facts }: ObjectTabProps) {
  const { kind, type } = shownAs(address.key, facts.served["content-type"]);
  const [isSource, setSource] = useState(false);
  const isSvg = type === "image/svg+xml";
  return (
    <section class="section object-preview">
      <h2>{t("objectPreview.heading")}</h2>
      {isSvg ? <CheckField label={t("objectPreview.source")} isChecked={isSource} onChange={setSource} /> : null}
      <Content address={address} bytes={facts.bytes} kind={isSvg && isSource ? "text" : kind} type={type} />
    </section>
  );
}

interface ContentProps {
  readonly address: ObjectAddress;
  readonly bytes: number;
  readonly kind: PreviewKind;
  readonly type: string;
}

function Content({ address, bytes, kind, type }: ContentProps) {
  if (bytes === 0) return <p>{t("objectPreview.empty")}</p>;
  if (kind === "none") return <p>{t("objectPreview.none")}</p>;
  if (kind === "pdf") return <PdfPreview address={address} bytes={bytes} />;
  if (kind === "image" || kind === "video" || kind === "audio")
    return <MediaPreview address={address} kind={kind} type={type} />;
  return <StartOfText address={address} bytes={bytes} kind={kind} />;
}

function MediaPreview({
  address,
  kind,
  type,
}: Pick<ContentProps, "address" | "type"> & { readonly kind: PreviewKind }) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const [isBroken, setBroken] = useState(false);
  const overrides = { "response-content-type": type };
  const link = useLoad(
    () => presignRead(connection, address, MEDIA_SECONDS, overrides),
    [bucket, key, versionId, type],
  );
  const onError = (): void => setBroken(true);
  if (link.failure !== undefined) return <ErrorPanel failure={link.failure} />;
  if (link.value === undefined) return <Skeleton lines={6} />;
  if (isBroken) return <p role="status">{t("objectPreview.broken")}</p>;
  if (kind === "image")
    return <img class="object-media" src={link.value} alt={t("objectPreview.alt")} onError={onError} />;
  // Captions would be objects of their own.
  if (kind === "video")
    return <video class="object-media" src={link.value} controls preload="metadata" onError={onError} />;
  return <audio src={link.value} controls preload="metadata" onError={onError} />;
}

function StartOfText({ address, bytes, kind }: Omit<ContentProps, "type">) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const loaded = useLoad(
    (signal) => readStart(connection, address, TEXT_MAX_BYTES, signal),
    [bucket, key, versionId, bytes],
  );
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />;
  if (loaded.value === undefined) return <Skeleton lines={8} />;
  const { value } = loaded;
  const isCut = bytes > value.length;
  return (
    <>
      {isCut ? (
        <p class="notice">{t("objectPreview.cut", { size: formatBytes(value.length), all: formatBytes(bytes) })}</p>
      ) : null}
      <TextPreview content={value} kind={kind} isCut={isCut} isTabbed={/\.tsv$/i.test(key)} />
    </>
  );
}
