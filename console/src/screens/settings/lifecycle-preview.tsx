// The dry run of lifecycle rules: what the stored rules would expire, transition or abort on a day, and by which rule.
import { useState } from "preact/hooks";
import { ACTION_TYPES, type ActionType, previewLifecycle, type PreviewedAction } from "../../clients/lifecycle.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatBytes, formatCount } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import type { TextKey } from "../../i18n/en.ts";
import { plural, t } from "../../i18n/language.ts";
import { Name } from "../../components/name.tsx";

const TYPE_NAMES: Readonly<Record<ActionType, TextKey>> = {
  Delete: "preview.Delete",
  CreateDeleteMarker: "preview.CreateDeleteMarker",
  DeleteVersion: "preview.DeleteVersion",
  DeleteMarkerRemoval: "preview.DeleteMarkerRemoval",
  Transition: "preview.Transition",
  AbortMultipartUpload: "preview.AbortMultipartUpload",
};

interface Shown {
  readonly actions: readonly PreviewedAction[];
  readonly examined: number;
  readonly nextToken: string | undefined;
}

const NOTHING: Shown = { actions: [], examined: 0, nextToken: undefined };
const DAY_MS = 86_400_000;
/** The number of actions after which a click loads no further page. */
const MOST_ACTIONS = 200;

export function LifecyclePreview({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const change = useChange();
  const [day, setDay] = useState(() => new Date(connection.now() + DAY_MS).toISOString().slice(0, 10));
  const [prefix, setPrefix] = useState("");
  const [shown, setShown] = useState<Shown>();
  const look = (before: Shown): void =>
    void change.run(async () => {
      const actions = Array.from(before.actions);
      let { examined, nextToken: token } = before;
      const most = actions.length + MOST_ACTIONS;
      do {
        const page = await previewLifecycle(connection, bucket, { day, prefix, token });
        actions.push(...page.actions);
        examined += page.examined;
        token = page.nextToken;
        setShown({ actions: Array.from(actions), examined, nextToken: token });
      } while (token !== undefined && actions.length < most);
    });
  return (
    <section class="section setting">
      <h2>{t("preview.title")}</h2>
      <p class="hint">{t("preview.lead")}</p>
      <form
        class="form-grid"
        onSubmit={(event) => {
          event.preventDefault();
          look(NOTHING);
        }}
      >
        <TextField label={t("preview.day")} type="date" value={day} onChange={setDay} />
        <TextField label={t("lifecycle.prefix")} value={prefix} onChange={setPrefix} />
        <Button type="submit" isBusy={change.isBusy} isDisabled={day === ""}>
          {t("preview.show")}
        </Button>
      </form>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={() => look(NOTHING)} />}
      {shown === undefined ? null : <Findings shown={shown} isBusy={change.isBusy} onMore={() => look(shown)} />}
    </section>
  );
}

function Findings({ shown, isBusy, onMore }: { shown: Shown; isBusy: boolean; onMore: () => void }) {
  const { actions, examined, nextToken } = shown;
  const counts = ACTION_TYPES.map((type) => ({ type, count: actions.filter((one) => one.type === type).length }));
  const columns: readonly Column<PreviewedAction>[] = [
    { id: "key", title: t("events.key"), isHeader: true, cell: ({ key }) => <Name text={key} /> },
    {
      id: "action",
      title: t("preview.action"),
      cell: ({ type, neverPaysOff }) => (
        <>
          {t(TYPE_NAMES[type])} {neverPaysOff ? <Badge kind="warning">{t("preview.neverPaysOff")}</Badge> : null}
        </>
      ),
    },
    { id: "rule", title: t("preview.rule"), cell: ({ ruleId }) => ruleId },
    {
      id: "size",
      title: t("buckets.size"),
      isNumber: true,
      cell: ({ bytes }) => (bytes === undefined ? "" : formatBytes(bytes)),
    },
  ];
  return (
    <>
      <p role="status">
        {plural("preview.summary", actions.length, { examined: formatCount(examined) })}{" "}
        {counts
          .filter(({ count }) => count > 0)
          .map(({ type, count }) => `${t(TYPE_NAMES[type])}: ${formatCount(count)}`)
          .join(" · ")}
      </p>
      {actions.length === 0 ? null : (
        <Table
          label={t("preview.title")}
          columns={columns}
          rows={actions}
          rowKey={({ type, key, id, ruleId }) => JSON.stringify([type, key, id, ruleId])}
        />
      )}
      {nextToken === undefined ? null : (
        <p>
          <Button isBusy={isBusy} onClick={onMore}>
            {t("buckets.loadMore")}
          </Button>
        </p>
      )}
    </>
  );
}
