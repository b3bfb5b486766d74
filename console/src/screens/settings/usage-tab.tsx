// Usage: what the bucket stores now, its quota, and its requests over time.
import { useState } from "preact/hooks";
import { getUsage } from "../../clients/buckets.ts";
import { type DayUsage, getDayUsage } from "../../clients/request-usage.ts";
import { BarChart } from "../../components/bar-chart.tsx";
import { SelectField } from "../../components/fields.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatBytes, formatCount } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { QuotaSection } from "./quota-section.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

const DAY_MS = 86_400_000;
const PERIODS = ["7", "30", "90", "365"] as const;

export function UsageTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const stored = useLoad(() => getUsage(connection, bucket), [bucket]);
  return (
    <>
      <SettingSection title={t("usage.stored")} loaded={stored} lines={3}>
        {(usage) => {
          const atLeast = (text: string): string => (usage.isPartial ? t("buckets.atLeast", { value: text }) : text);
          const of = (count: number, bytes: number): string =>
            atLeast(t("usage.countAndSize", { count: formatCount(count), size: formatBytes(bytes) }));
          return (
            <dl class="facts">
              <dt>{t("buckets.objects")}</dt>
              <dd>{of(usage.objects, usage.bytes)}</dd>
              <dt>{t("usage.noncurrent")}</dt>
              <dd>{of(usage.noncurrentVersions, usage.noncurrentBytes)}</dd>
              <dt>{t("usage.markers")}</dt>
              <dd>{atLeast(formatCount(usage.deleteMarkers))}</dd>
              <dt>{t("usage.uploads")}</dt>
              <dd>{of(usage.uploads, usage.uploadBytes)}</dd>
            </dl>
          );
        }}
      </SettingSection>
      <QuotaSection bucket={bucket} />
      <RequestSection bucket={bucket} />
    </>
  );
}

function RequestSection({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const [period, setPeriod] = useState<(typeof PERIODS)[number]>("30");
  const loaded = useLoad(() => {
    const to = connection.now();
    const from = to - (Number(period) - 1) * DAY_MS;
    return getDayUsage(connection, bucket, dayOf(from), dayOf(to));
  }, [bucket, period]);
  const columns: readonly Column<DayUsage>[] = [
    { id: "day", title: t("usage.day"), isHeader: true, cell: ({ day }) => day },
    { id: "writes", title: t("usage.writes"), isNumber: true, cell: ({ writes }) => formatCount(writes) },
    { id: "reads", title: t("usage.reads"), isNumber: true, cell: ({ reads }) => formatCount(reads) },
    { id: "deletions", title: t("usage.deletions"), isNumber: true, cell: ({ deletions }) => formatCount(deletions) },
    { id: "errors", title: t("usage.errors"), isNumber: true, cell: ({ errors }) => formatCount(errors) },
    { id: "in", title: t("usage.bytesIn"), isNumber: true, cell: ({ bytesIn }) => formatBytes(bytesIn) },
    { id: "out", title: t("usage.bytesOut"), isNumber: true, cell: ({ bytesOut }) => formatBytes(bytesOut) },
  ];
  return (
    <SettingSection title={t("usage.requests")} lead={t("usage.lead")} loaded={loaded}>
      {(days) => (
        <>
          <div class="form-grid">
            <SelectField
              label={t("usage.period")}
              value={period}
              options={PERIODS.map((one) => [one, t("usage.lastDays", { count: one })])}
              onChange={setPeriod}
            />
          </div>
          {days.every(({ writes, reads, deletions }) => writes + reads + deletions === 0) ? (
            <p>{t("usage.nothing")}</p>
          ) : (
            <Charts days={days} />
          )}
          <details>
            <summary>{t("usage.asTable")}</summary>
            <Table label={t("usage.requests")} columns={columns} rows={days.toReversed()} rowKey={({ day }) => day} />
          </details>
        </>
      )}
    </SettingSection>
  );
}

function Charts({ days }: { readonly days: readonly DayUsage[] }) {
  return (
    <>
      <BarChart
        label={t("usage.requestsPerDay")}
        bars={days.map(({ day, writes, reads, deletions }) => ({ label: day, value: writes + reads + deletions }))}
        format={formatCount}
      />
      <BarChart
        label={t("usage.bytesOutPerDay")}
        bars={days.map(({ day, bytesOut }) => ({ label: day, value: bytesOut }))}
        format={formatBytes}
      />
      <BarChart
        label={t("usage.bytesInPerDay")}
        bars={days.map(({ day, bytesIn }) => ({ label: day, value: bytesIn }))}
        format={formatBytes}
      />
    </>
  );
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
