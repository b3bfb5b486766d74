// The page of an upload link, where a guest uploads files without signing in. Its only input is the fragment of its
// address.
import { useState } from "preact/hooks";
import { readUploadLink, type UploadLink, uploadWithLink } from "../../clients/upload-links.ts";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { Page } from "../../components/page.tsx";
import { formatBytes, formatTime } from "../../data/formats.ts";
import { currentPlace } from "../../data/router.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";
import { visibleText } from "../../i18n/visible-text.ts";
import { Name } from "../../components/name.tsx";
import "./drop.css";

interface Sent {
  readonly name: string;
  readonly bytes: number;
  readonly sent: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  readonly problem: string;
}

export function DropScreen() {
  const link = readUploadLink(currentPlace().query["link"] ?? "");
  // A guest's clock may be wrong, so the server's decides.
  const clock = useLoad(serverTime, []);
  if (clock.isLoading) return <Skeleton lines={6} />;
  const skewMs = clock.value ?? 0;
  return (
    <main class="drop">
      {link === undefined || hasEnded(link, skewMs) ? (
        <Page title={t("drop.title")}>
          <EmptyState title={link === undefined ? t("drop.bad") : t("drop.ended")}>
            <p>{t("drop.askAgain")}</p>
          </EmptyState>
        </Page>
      ) : (
        <Drop link={link} skewMs={skewMs} />
      )}
    </main>
  );
}

/** The server's clock minus this device's, in ms; 0 without a response. */
async function serverTime(signal: AbortSignal): Promise<number> {
  const { headers } = await fetch(location.pathname, { method: "HEAD", cache: "no-store", signal });
  const date = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(date) ? 0 : date - Date.now();
}

function hasEnded({ until }: UploadLink, skewMs: number): boolean {
  return until < Date.now() + skewMs;
}

function Drop({ link, skewMs }: { readonly link: UploadLink; readonly skewMs: number }) {
  const [files, setFiles] = useState<readonly Sent[]>([]);
  const [isOver, setOver] = useState(false);
  const take = async (given: readonly File[]): Promise<void> => {
    const from = files.length;
    setFiles((before) => [
      ...before,
      ...given.map(({ name, size }) => ({ name, bytes: size, sent: 0, state: "waiting", problem: "" }) as const),
    ]);
    for (const [index, file] of given.entries()) {
      const change = (changed: Partial<Sent>): void =>
        setFiles((before) => before.map((one, at) => (at === from + index ? { ...one, ...changed } : one)));
      if (file.size > link.mostBytes) {
        change({
          state: "failed",
          problem: t("drop.tooBig", { size: formatBytes(link.mostBytes) }),
        });
        continue;
      }
      change({ state: "sending" });
      try {
        await uploadWithLink(location.origin, link, file, (sent) => change({ sent }));
        change({ state: "done", sent: file.size });
      } catch (failure) {
        const message = failure instanceof Error ? failure.message : "";
        // A page may stay open for longer than the link is valid.
        const reason = hasEnded(link, skewMs) ? `${t("drop.ended")}. ${t("drop.askAgain")}` : message;
        change({ state: "failed", problem: reason === "" ? t("error.network") : reason });
      }
    }
  };
  const isBusy = files.some(({ state }) => state === "waiting" || state === "sending");
  const done = files.filter(({ state }) => state === "done").length;
  return (
    <Page title={t("drop.title")}>
      <p>{t("drop.lead", { size: formatBytes(link.mostBytes), time: formatTime(link.until) })}</p>
      <label
        class={`drop-area${isOver ? " over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (!isBusy) void take(Array.from(event.dataTransfer?.files ?? []));
        }}
      >
        <span>{t("drop.choose")}</span>
        <input
          type="file"
          multiple
          disabled={isBusy}
          onChange={({ currentTarget }) => {
            void take(Array.from(currentTarget.files ?? []));
            currentTarget.value = "";
          }}
        />
      </label>
      <p role="status">{files.length === 0 ? "" : plural("drop.done", done)}</p>
      <ul class="drop-files">
        {files.map((file, index) => (
          <li key={index}>
            <Name text={file.name} /> <span class="hint">{formatBytes(file.bytes)}</span>
            {file.state === "sending" ? (
              <progress
                aria-label={visibleText(file.name)}
                value={Math.min(file.sent, file.bytes)}
                max={Math.max(file.bytes, 1)}
              />
            ) : null}
            {file.state === "done" ? <span> {t("drop.sent")}</span> : null}
            {file.state === "failed" ? (
              <span class="problem" role="alert">
                {file.problem}
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </Page>
  );
}
