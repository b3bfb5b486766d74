// Events: their destinations, and the feed.
import { useState } from "preact/hooks";
import { getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { type BucketEvent, listEvents } from "../../clients/events.ts";
import { parseXml, s3Document, tag } from "../../clients/xml.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatBytes, formatTime } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { checkXml, DocumentForm, type Example } from "./document-form.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";
import { Name } from "../../components/name.tsx";

const NO_EVENTS = s3Document("NotificationConfiguration");

export function EventsTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const change = useChange();
  const loaded = useLoad(
    async () => ({ text: storedText(await getConfiguration(connection, bucket, "notification")) }),
    [bucket],
  );
  const put = (body: string, done: string): void =>
    void change.run(async () => {
      await putConfiguration(connection, bucket, "notification", body);
      loaded.reload();
    }, done);
  return (
    <>
      <SettingSection title={t("settings.events")} lead={t("events.lead")} loaded={loaded} lines={13}>
        {({ text }) => (
          <DocumentForm
            key={text}
            label={t("events.document")}
            stored={text}
            change={change}
            check={checkXml}
            examples={notificationExamples()}
            onSave={(body) => put(body, t("events.saved"))}
            onRemove={() => put(NO_EVENTS, t("events.removed"))}
          />
        )}
      </SettingSection>
      <EventFeed bucket={bucket} />
    </>
  );
}

/** A bucket without notifications returns an empty document. */
function storedText(text: string | undefined): string | undefined {
  return text === undefined || parseXml(text).children.length === 0 ? undefined : text;
}

function notificationExamples(): Example[] {
  const rule = tag("FilterRule", [tag("Name", "prefix"), tag("Value", "uploads/")]);
  return [
    { label: t("events.example.feed"), text: s3Document("NotificationConfiguration", tag("EventBridgeConfiguration")) },
    {
      label: t("events.example.webhook"),
      text: s3Document(
        "NotificationConfiguration",
        tag("QueueConfiguration", [
          tag("Id", "new-objects"),
          tag("Queue", "arn:cairn:webhook:::NAME"),
          tag("Event", "s3:ObjectCreated:*"),
          tag("Filter", tag("S3Key", rule)),
        ]),
      ),
    },
  ];
}

function EventFeed({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const [events, setEvents] = useState<readonly BucketEvent[]>([]);
  const [cursor, setCursor] = useState<string>();
  const [isComplete, setComplete] = useState(false);
  const change = useChange();
  const showMore = (): void =>
    void change.run(async () => {
      const page = await listEvents(connection, bucket, cursor);
      setEvents([...events, ...page.events]);
      setCursor(page.cursor);
      setComplete(!page.isTruncated);
    });
  const columns: readonly Column<BucketEvent>[] = [
    { id: "time", title: t("events.time"), cell: ({ time }) => formatTime(Date.parse(time)) },
    { id: "name", title: t("events.event"), cell: ({ name }) => <code>{name}</code> },
    { id: "key", title: t("events.key"), isHeader: true, cell: ({ key }) => <Name text={key} /> },
    {
      id: "size",
      title: t("buckets.size"),
      isNumber: true,
      cell: ({ bytes }) => (bytes === undefined ? "" : formatBytes(bytes)),
    },
  ];
  return (
    <section class="section setting">
      <h2>{t("events.feed")}</h2>
      <p class="hint">{t("events.feedLead")}</p>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={showMore} />}
      {events.length > 0 ? (
        <Table label={t("events.feed")} columns={columns} rows={events} rowKey={({ sequencer }) => sequencer} />
      ) : isComplete ? (
        <p>{t("events.none")}</p>
      ) : null}
      <p>
        <Button isBusy={change.isBusy} onClick={showMore}>
          {cursor === undefined ? t("events.show") : isComplete ? t("events.newer") : t("buckets.loadMore")}
        </Button>
      </p>
    </section>
  );
}
