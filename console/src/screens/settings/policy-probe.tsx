// Probes the permissions of another principal, and shows the server's responses.
import { useEffect, useState } from "preact/hooks";
import { type Finding, firstKey, hasObject, probe, type ProbedAction, type Prober } from "../../clients/probe.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";

const ACTION_NAMES: Readonly<Record<ProbedAction, TextKey>> = {
  list: "probe.list",
  read: "probe.read",
  write: "probe.write",
  delete: "probe.delete",
  readPolicy: "probe.readPolicy",
};

export function PolicyProbe({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const change = useChange();
  const [kind, setKind] = useState<Prober["kind"]>("anonymous");
  const [name, setName] = useState("");
  const [key, setKey] = useState("");
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [isMissing, setMissing] = useState(false);
  // Without the permission to list the bucket, the user types a key.
  const first = useLoad(() => firstKey(connection, bucket).catch(() => ""), [bucket]);
  useEffect(() => {
    setKey((before) => before || (first.value ?? ""));
  }, [first.value]);
  const prober: Prober = kind === "federated" ? { kind, name } : { kind };
  const isReady = key !== "" && (kind !== "federated" || name.length >= 2);
  const columns: readonly Column<Finding>[] = [
    { id: "action", title: t("probe.action"), isHeader: true, cell: ({ action }) => t(ACTION_NAMES[action]) },
    {
      id: "answer",
      title: t("probe.answer"),
      cell: ({ isAllowed }) =>
        isAllowed ? <Badge kind="good">{t("probe.allowed")}</Badge> : <Badge kind="danger">{t("probe.refused")}</Badge>,
    },
    { id: "why", title: t("probe.why"), cell: ({ isAllowed, explanation }) => (isAllowed ? "" : explanation) },
  ];
  return (
    <section class="section setting">
      <h2>{t("probe.title")}</h2>
      <p class="hint">{t("probe.lead")}</p>
      <form
        class="form-grid"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isReady) return;
          void change.run(async () => {
            setMissing(!(await hasObject(connection, bucket, key).catch(() => true)));
            setFindings(await probe(connection, prober, bucket, key));
          });
        }}
      >
        <SelectField
          label={t("probe.as")}
          value={kind}
          options={[
            ["anonymous", t("probe.anonymous")],
            ["caller", t("probe.caller")],
            ["federated", t("probe.federated")],
          ]}
          onChange={(chosen) => {
            setKind(chosen);
            setFindings(undefined);
          }}
        />
        {kind === "federated" ? (
          <TextField label={t("probe.name")} hint={t("probe.nameHint")} value={name} onChange={setName} />
        ) : null}
        <TextField label={t("probe.key")} value={key} onChange={setKey} />
        <Button type="submit" isDisabled={!isReady} isBusy={change.isBusy}>
          {t("probe.try")}
        </Button>
      </form>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      {findings !== undefined && isMissing ? <p class="notice">{t("probe.missing")}</p> : null}
      {findings === undefined ? null : (
        <Table label={t("probe.title")} columns={columns} rows={findings} rowKey={({ action }) => action} />
      )}
    </section>
  );
}
