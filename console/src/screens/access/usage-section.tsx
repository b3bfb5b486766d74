// The usage of a user's access keys in the last days: requests by day, errors and bytes of each key.
import { ServiceError } from "../../clients/failures.ts";
import { listAccessKeys } from "../../clients/iam.ts";
import { type DayUsage, getKeyDayUsage } from "../../clients/request-usage.ts";
import { BarChart } from "../../components/bar-chart.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatBytes, formatCount } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";

const DAYS = 30;
const DAY_MS = 86_400_000;

interface KeyUsage {
  readonly id: string;
  readonly days: readonly DayUsage[];
}

export function UsageSection({ user }: { readonly user: string }) {
  const connection = useConnection();
  const { value, failure, reload } = useLoad(async (): Promise<KeyUsage[]> => {
    const to = dayOf(connection.now());
    const from = dayOf(connection.now() - (DAYS - 1) * DAY_MS);
    const keys = await listAccessKeys(connection, user);
    return Promise.all(keys.map(async ({ id }) => ({ id, days: await getKeyDayUsage(connection, id, from, to) })));
  }, [user]);
  const isDenied = failure instanceof ServiceError && failure.code === "AccessDenied";
  return (
    <section class="section access-section">
      <h2>{t("userUsage.title", { days: DAYS })}</h2>
      <p class="hint">{t(isDenied ? "userUsage.denied" : "userUsage.lead")}</p>
      {failure === undefined || isDenied ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {value === undefined ? failure === undefined && <Skeleton lines={6} /> : <Usage keys={value} />}
    </section>
  );
}

function Usage({ keys }: { readonly keys: readonly KeyUsage[] }) {
  const used = keys.filter(({ days }) => days.some((day) => requestsOf(day) > 0));
  if (used.length === 0) return <p>{t("userUsage.nothing")}</p>;
  const columns: readonly Column<KeyUsage>[] = [
    { id: "key", title: t("keys.id"), isHeader: true, cell: ({ id }) => <code>{id}</code> },
    column("requests", t("userUsage.requests"), requestsOf, formatCount),
    column("errors", t("usage.errors"), ({ errors }) => errors, formatCount),
    column("in", t("usage.bytesIn"), ({ bytesIn }) => bytesIn, formatBytes),
    column("out", t("usage.bytesOut"), ({ bytesOut }) => bytesOut, formatBytes),
  ];
  const bars = (used[0]?.days ?? []).map(({ day }, index) => ({
    label: day,
    value: sumOf(used, ({ days }) => requestsOf(days[index])),
  }));
  return (
    <>
      <BarChart label={t("usage.requestsPerDay")} bars={bars} format={formatCount} />
      <Table label={t("userUsage.byKey")} columns={columns} rows={used} rowKey={({ id }) => id} />
    </>
  );
}

function column(
  id: string,
  title: string,
  valueOf: (day: DayUsage) => number,
  format: (value: number) => string,
): Column<KeyUsage> {
  return { id, title, isNumber: true, cell: ({ days }) => format(sumOf(days, valueOf)) };
}

function requestsOf(day: DayUsage | undefined): number {
  return day === undefined ? 0 : day.writes + day.reads + day.deletions;
}

function sumOf<Item>(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item), 0);
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
