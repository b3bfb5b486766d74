// Compares two versions: headers, metadata and tags, and texts line by line or images side by side.
import { useMemo } from "preact/hooks";
import { type ObjectAddress, readStart } from "../../../clients/object.ts";
import type { ListedVersion } from "../../../clients/versions.ts";
import { Dialog } from "../../../components/dialog.tsx";
import { ErrorPanel } from "../../../components/error-panel.tsx";
import { Skeleton } from "../../../components/placeholders.tsx";
import { formatBytes, formatTime } from "../../../data/formats.ts";
import { useConnection } from "../../../data/session.ts";
import { useLoad } from "../../../data/use-load.ts";
import { plural, t } from "../../../i18n/language.ts";
import { CompareFacts, factsOf } from "./compare-facts.tsx";
import { CompareImages } from "./compare-images.tsx";
import { type DiffLine, diffLines } from "./line-diff.ts";
import { shownAs } from "../preview/preview-kind.ts";
import { TEXT_MAX_BYTES, textOfBytes } from "../preview/text-preview.tsx";

export interface CompareDialogProps {
  readonly address: ObjectAddress;
  readonly older: ListedVersion;
  readonly newer: ListedVersion;
  readonly onClose: () => void;
}

export function CompareDialog({ address, older, newer, onClose }: CompareDialogProps) {
  const versions = [
    { ...address, versionId: older.versionId },
    { ...address, versionId: newer.versionId },
  ] as const;
  const times = { older: formatTime(older.modifiedAt), newer: formatTime(newer.modifiedAt) };
  // Two versions may have the same minute.
  const titles = {
    older: t("versions.older", { time: times.older }),
    newer: t("versions.newer", { time: times.newer }),
  };
  const connection = useConnection();
  const facts = useLoad(
    (signal) => Promise.all([factsOf(connection, versions[0], signal), factsOf(connection, versions[1], signal)]),
    [older.versionId, newer.versionId],
  );
  const [one, other] = facts.value ?? [];
  return (
    <Dialog title={t("versions.compareTitle")} isWide onClose={onClose}>
      <p>{t("versions.compareTimes", times)}</p>
      {facts.failure === undefined ? null : <ErrorPanel failure={facts.failure} onRetry={facts.reload} />}
      {one === undefined || other === undefined ? (
        facts.failure === undefined && <Skeleton lines={6} />
      ) : (
        <>
          <CompareFacts older={one} newer={other} titles={titles} />
          <h3>{t("versions.content")}</h3>
          {[one, other].every(({ type }) => shownAs(address.key, type).kind === "image") ? (
            <CompareImages versions={versions} types={[one.type, other.type]} titles={[titles.older, titles.newer]} />
          ) : (
            <CompareTexts address={address} older={older} newer={newer} />
          )}
        </>
      )}
    </Dialog>
  );
}

function CompareTexts({ address, older, newer }: Omit<CompareDialogProps, "onClose">) {
  const connection = useConnection();
  const loaded = useLoad(
    async (signal) => {
      const read = async ({ versionId, bytes }: ListedVersion) => {
        const content = await readStart(connection, { ...address, versionId }, TEXT_MAX_BYTES, signal);
        return textOfBytes(content, bytes > content.length);
      };
      return await Promise.all([read(older), read(newer)]);
    },
    [older.versionId, newer.versionId],
  );
  const isCut = Math.max(older.bytes, newer.bytes) > TEXT_MAX_BYTES;
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />;
  if (loaded.value === undefined) return <Skeleton lines={6} />;
  return (
    <>
      {isCut ? <p class="notice">{t("versions.compareCut", { size: formatBytes(TEXT_MAX_BYTES) })}</p> : null}
      <Difference older={loaded.value[0]} newer={loaded.value[1]} />
    </>
  );
}

function Difference({ older, newer }: { readonly older: string | undefined; readonly newer: string | undefined }) {
  const lines = useMemo(
    () => (older === undefined || newer === undefined ? undefined : diffLines(older, newer)),
    [older, newer],
  );
  if (lines === undefined) return <p>{t("versions.noText")}</p>;
  const [added, removed] = [count(lines, "added"), count(lines, "removed")];
  if (added + removed === 0) return <p role="status">{t("versions.same")}</p>;
  return (
    <>
      <p role="status">
        {plural("versions.added", added)}, {plural("versions.removed", removed)}
      </p>
      <div class="object-diff code" tabIndex={0} role="region" aria-label={t("versions.compareTitle")}>
        {lines.map((line, index) => (
          <Line key={index} line={line} />
        ))}
      </div>
    </>
  );
}

const SIGNS = { added: "+", removed: "−", same: " ", skipped: "…" } as const;

function Line({ line: { kind, text, skipped } }: { readonly line: DiffLine }) {
  return (
    <div class={kind}>
      <span class="sign" aria-hidden="true">
        {SIGNS[kind]}
      </span>
      {kind === "added" ? <span class="visually-hidden">{t("versions.addedLine")}</span> : null}
      {kind === "removed" ? <span class="visually-hidden">{t("versions.removedLine")}</span> : null}
      <span dir="auto">{kind === "skipped" ? plural("versions.skipped", skipped ?? 0) : text}</span>
    </div>
  );
}

function count(lines: readonly DiffLine[], kind: DiffLine["kind"]): number {
  return lines.filter((line) => line.kind === kind).length;
}
