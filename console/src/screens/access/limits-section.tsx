// The limits of a user: the quota of all its buckets together, and the request rate of its keys.
import { useState } from "preact/hooks";
import { listUserTags, tagUser, untagUser } from "../../clients/user-tags.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { formatBytes } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";

interface Limit {
  readonly tag: string;
  readonly text:
    | "maxBytes"
    | "maxObjects"
    | "requests"
    | "bytesIn"
    | "bytesOut"
    | "keyRequests"
    | "keyBytesIn"
    | "keyBytesOut";
  readonly isOfBytes: boolean;
  /** A rate of 0 is invalid: a policy can refuse all requests. */
  readonly least: 0 | 1;
}

const LIMITS: readonly Limit[] = [
  { tag: "cairn:max-bytes", text: "maxBytes", isOfBytes: true, least: 0 },
  { tag: "cairn:max-objects", text: "maxObjects", isOfBytes: false, least: 0 },
  { tag: "cairn:requests-per-second", text: "requests", isOfBytes: false, least: 1 },
  { tag: "cairn:bytes-in-per-second", text: "bytesIn", isOfBytes: true, least: 1 },
  { tag: "cairn:bytes-out-per-second", text: "bytesOut", isOfBytes: true, least: 1 },
  { tag: "cairn:key-requests-per-second", text: "keyRequests", isOfBytes: false, least: 1 },
  { tag: "cairn:key-bytes-in-per-second", text: "keyBytesIn", isOfBytes: true, least: 1 },
  { tag: "cairn:key-bytes-out-per-second", text: "keyBytesOut", isOfBytes: true, least: 1 },
];

type Values = Readonly<Record<string, string>>;

export function LimitsSection({ user }: { readonly user: string }) {
  const connection = useConnection();
  const loaded = useLoad(async (): Promise<Values> => {
    const tags = await listUserTags(connection, user);
    return Object.fromEntries(Array.from(tags, ([key, value]) => [key.toLowerCase(), value]));
  }, [user]);
  const { value, failure, reload } = loaded;
  return (
    <section class="section access-section">
      <h2>{t("limits.title")}</h2>
      <p class="hint">{t("limits.lead")}</p>
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {value === undefined ? (
        failure === undefined && <Skeleton lines={8} />
      ) : (
        <LimitsForm key={JSON.stringify(value)} user={user} saved={value} onSaved={reload} />
      )}
    </section>
  );
}

interface FormProps {
  readonly user: string;
  readonly saved: Values;
  readonly onSaved: () => void;
}

function LimitsForm({ user, saved, onSaved }: FormProps) {
  const connection = useConnection();
  const change = useChange();
  const [values, setValues] = useState(saved);
  const isValid = LIMITS.every(({ tag, least }) => isLimit(values[tag] ?? "", least));
  const save = (): void =>
    void change.run(async () => {
      const changed = LIMITS.filter(({ tag }) => (values[tag] ?? "") !== (saved[tag] ?? ""));
      const given = changed.flatMap(({ tag }) => (values[tag] ? [[tag, values[tag]] as const] : []));
      const cleared = changed.filter(({ tag }) => !values[tag]).map(({ tag }) => tag);
      await tagUser(connection, user, new Map(given));
      await untagUser(connection, user, cleared);
      onSaved();
    }, t("limits.saved"));
  return (
    <>
      <div class="fields">
        {LIMITS.map(({ tag, text, isOfBytes, least }) => {
          const value = values[tag] ?? "";
          return (
            <TextField
              key={tag}
              label={t(`limits.${text}`)}
              type="number"
              min={least}
              value={value}
              hint={value === "" ? t("quota.unlimited") : isOfBytes ? formatBytes(Number(value)) : undefined}
              problem={isLimit(value, least) ? undefined : t("limits.whole", { least })}
              onChange={(text) => setValues({ ...values, [tag]: text })}
            />
          );
        })}
      </div>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={save} />}
      <p class="actions">
        <Button kind="primary" isBusy={change.isBusy} isDisabled={!isValid} onClick={save}>
          {t("limits.save")}
        </Button>
      </p>
    </>
  );
}

/** Empty: no limit. */
function isLimit(text: string, least: number): boolean {
  return text === "" || (/^\d{1,15}$/.test(text) && Number(text) >= least);
}
