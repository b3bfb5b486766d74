// The queue of uploads: progress, speed, remaining time and actions of each.
import { useState } from "preact/hooks";
import { formatBytes, formatDuration } from "../data/formats.ts";
import {
  addUploads,
  cancelUpload,
  clearDone,
  overwrite,
  pauseUpload,
  resumeUpload,
  type Upload,
  uploads,
} from "../data/uploads.ts";
import { signInAgain } from "../data/session.ts";
import { plural, t } from "../i18n/language.ts";
import { Button } from "./button.tsx";
import { FileButton } from "./file-button.tsx";
import { Progress } from "./progress.tsx";
import { visibleText } from "../i18n/visible-text.ts";
import { Name } from "./name.tsx";

/** Rows that are shown of a long queue. */
const SHOWN_MAX = 50;

export function UploadPanel() {
  const all = uploads.value;
  const [isFolded, setFolded] = useState(false);
  if (all.length === 0) return null;
  const open = all.filter(({ state }) => state !== "done");
  return (
    <aside class="upload-panel" aria-label={t("uploads.label")}>
      <header>
        <h2>
          <span role="status">
            {open.length === 0 ? t("uploads.allDone") : plural("uploads.open", open.length, { total: all.length })}
          </span>
        </h2>
        {open.length < all.length ? <Button onClick={clearDone}>{t("uploads.clear")}</Button> : null}
        <span class={isFolded ? "unfold" : "fold"}>
          <Button
            kind="quiet"
            icon="chevron"
            label={t(isFolded ? "uploads.unfold" : "uploads.fold")}
            onClick={() => setFolded(!isFolded)}
          />
        </span>
      </header>
      {isFolded ? null : <Queue all={all} open={open} />}
    </aside>
  );
}

function Queue({ all, open }: { readonly all: readonly Upload[]; readonly open: readonly Upload[] }) {
  const existing = all.filter(({ state }) => state === "exists");
  const shown = [...open, ...all.filter(({ state }) => state === "done")].slice(0, SHOWN_MAX);
  return (
    <>
      {existing.length > 1 ? (
        <p class="actions">
          <Button onClick={() => existing.forEach(({ id }) => overwrite(id))}>{t("uploads.overwriteAll")}</Button>
          <Button onClick={() => existing.forEach(({ id }) => void cancelUpload(id))}>{t("uploads.skipAll")}</Button>
        </p>
      ) : null}
      <ul>
        {shown.map((upload) => (
          <li key={upload.id}>
            <UploadRow upload={upload} />
          </li>
        ))}
      </ul>
      {shown.length < all.length ? <p class="hint">{plural("uploads.more", all.length - shown.length)}</p> : null}
    </>
  );
}

function UploadRow({ upload }: { readonly upload: Upload }) {
  const { id, bucket, key, bytes, sent, state } = upload;
  const name = key.split("/").at(-1) ?? key;
  return (
    <div class="upload">
      <p class="upload-name" title={visibleText(`${bucket}/${key}`)}>
        <Name text={name} />
      </p>
      {state === "sending" || state === "paused" ? (
        <Progress label={t("uploads.progressOf", { name })} share={bytes === 0 ? 0 : sent / bytes} />
      ) : null}
      <p class="hint">{statusOf(upload)}</p>
      <p class="actions">
        {state === "sending" || state === "waiting" ? (
          <Button onClick={() => pauseUpload(id)}>{t("uploads.pause")}</Button>
        ) : null}
        {state === "paused" || state === "failed" ? (
          <Button onClick={() => resumeUpload(id)}>
            {state === "failed" ? t("action.retry") : t("action.resume")}
          </Button>
        ) : null}
        {state === "held" ? <Button onClick={() => signInAgain()}>{t("error.signInAgain")}</Button> : null}
        {state === "exists" ? <Button onClick={() => overwrite(id)}>{t("uploads.overwrite")}</Button> : null}
        {state === "lost" ? (
          <FileButton
            label={t("uploads.chooseAgain")}
            onFiles={([file]) => {
              if (file !== undefined) addUploads(bucket, [{ key, file }], () => undefined);
            }}
          />
        ) : null}
        {state === "done" ? null : (
          <Button kind="quiet" onClick={() => void cancelUpload(id)}>
            {state === "exists" ? t("uploads.skip") : t("action.cancel")}
          </Button>
        )}
      </p>
    </div>
  );
}

function statusOf({ state, bytes, sent, bytesPerSecond, problem }: Upload): string {
  const progress = t("uploads.progress", { sent: formatBytes(sent), total: formatBytes(bytes) });
  switch (state) {
    case "waiting":
      return t("uploads.waiting");
    case "sending": {
      if (bytesPerSecond === 0) return progress;
      const left = formatDuration(((bytes - sent) / bytesPerSecond) * 1000);
      return `${progress} · ${t("uploads.speed", { speed: formatBytes(bytesPerSecond), left })}`;
    }
    case "paused":
      return `${t("uploads.paused")} · ${progress}`;
    case "held":
      return `${t("uploads.held")} ${progress}`;
    case "failed":
      return problem ?? "";
    case "exists":
      return t("uploads.exists");
    case "lost":
      return t("uploads.lost", { total: formatBytes(bytes) });
    case "done":
      return t("uploads.done", { total: formatBytes(bytes) });
  }
}
