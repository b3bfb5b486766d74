// A search over all objects of a bucket. Its conditions are in the address, so a search has a link.
import { useCallback, useEffect, useState } from "preact/hooks";
import { ServiceError } from "../../clients/failures.ts";
import { isReachable } from "../../clients/paths.ts";
import { BucketPage } from "../../components/bucket-page.tsx";
import { Button, LinkButton } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { isEmptySearch, readSearch, type SearchForm, useObjectSearch } from "../../data/object-search.ts";
import { usePublicAddresses } from "../../data/public-addresses.ts";
import { hrefOf, navigate } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { plural, t } from "../../i18n/language.ts";
import { ObjectRows } from "./object-rows.tsx";
import { SearchFields } from "./search-fields.tsx";
import { useRowCommands } from "./row-commands.ts";
import { RowDialogs } from "./row-dialogs.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import "./objects.css";

/** Pages of a scan may be empty: with fewer rows than this, the next page is loaded at once. */
const ROWS_MIN = 50;

export function SearchScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const form = readSearch(props.query);
  const scans = props.query["scan"] === "true";
  const search = (next: SearchForm, scan = false): void => {
    const given = Object.entries(next).map(([name, value]) => [name, value === "" ? undefined : value] as const);
    navigate(["buckets", bucket, "search"], { ...Object.fromEntries(given), scan: scan ? "true" : undefined });
  };
  return (
    <BucketPage
      bucket={bucket}
      section="objects"
      actions={
        <LinkButton href={hrefOf(["buckets", bucket, "objects"], { prefix: form.prefix || undefined })}>
          {t("search.back")}
        </LinkButton>
      }
    >
      <SearchFields key={JSON.stringify(form)} form={form} onSearch={search} />
      {isEmptySearch(form) ? (
        <EmptyState title={t("search.title")}>
          <p>{t("search.hint")}</p>
        </EmptyState>
      ) : (
        <Results
          key={JSON.stringify([form, scans])}
          bucket={bucket}
          form={form}
          scans={scans}
          onScan={() => search(form, true)}
        />
      )}
    </BucketPage>
  );
}

interface ResultsProps {
  readonly bucket: string;
  readonly form: SearchForm;
  readonly scans: boolean;
  readonly onScan: () => void;
}

function Results({ bucket, form, scans, onScan }: ResultsProps) {
  const addresses = usePublicAddresses(bucket);
  const list = useObjectSearch(bucket, form, scans);
  const { rows, isComplete, isLoading, failure, loadMore } = list;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState<number>();
  const chosen = rows.filter(({ key }) => selected.has(key));
  const clear = (): void => setSelected(new Set());
  useEffect(() => {
    if (rows.length < ROWS_MIN && !isComplete && !isLoading) loadMore();
  }, [rows, isComplete, isLoading, loadMore]);
  const toggle = (row: ObjectRow): void => {
    const next = new Set(selected);
    if (!next.delete(row.key)) next.add(row.key);
    setSelected(next);
  };
  const toggleAll = (): void =>
    setSelected(chosen.length === rows.length ? new Set() : new Set(rows.map(({ key }) => key)));
  const hrefFor = useCallback((row: ObjectRow) => hrefOf(["buckets", bucket, "object"], { key: row.key }), [bucket]);
  const commands = useRowCommands({
    bucket,
    rows,
    chosen,
    focused,
    setFocused,
    hrefFor,
    onOpen: ({ key }) => {
      if (isReachable(key)) navigate(["buckets", bucket, "object"], { key });
    },
    onUp: () => navigate(["buckets", bucket, "objects"], { prefix: form.prefix || undefined }),
    onToggle: toggle,
    onToggleAll: toggleAll,
    onFilter: () => document.querySelector<HTMLInputElement>('[role="search"] input')?.focus(),
    addresses,
  });
  return (
    <>
      {failure === undefined ? null : (
        <Refusal failure={failure} form={form} bucket={bucket} onScan={onScan} onRetry={list.retry} />
      )}
      <div class="objects-tools">
        <SelectionBar bucket={bucket} chosen={chosen} onClear={clear} {...commands.selection} />
      </div>
      {rows.length > 0 ? (
        <ObjectRows
          rows={rows}
          selected={selected}
          focused={focused}
          onFocus={setFocused}
          onToggle={toggle}
          onToggleAll={toggleAll}
          hrefFor={hrefFor}
          menuFor={commands.menuFor}
          onNearEnd={loadMore}
          addresses={addresses}
        />
      ) : isLoading ? (
        <Skeleton lines={8} />
      ) : isComplete ? (
        <p>{t("search.none")}</p>
      ) : null}
      {failure === undefined ? (
        <p class="hint objects-count" role="status">
          {isComplete ? plural("search.found", rows.length) : plural("search.foundSoFar", rows.length)}
        </p>
      ) : null}
      {commands.hasHelp ? <ShortcutsDialog bucket={bucket} onClose={commands.closeHelp} /> : null}
      <RowDialogs
        bucket={bucket}
        prefix=""
        question={commands.question}
        onClose={commands.closeQuestion}
        onChanged={() => {
          clear();
          list.reload();
        }}
      />
    </>
  );
}

interface RefusalProps {
  readonly bucket: string;
  readonly form: SearchForm;
  readonly failure: unknown;
  readonly onScan: () => void;
  readonly onRetry: () => void;
}

/** The reason for a missing result, with actions: examine every object, or list by prefix. */
function Refusal({ bucket, form, failure, onScan, onRetry }: RefusalProps) {
  const code = failure instanceof ServiceError ? failure.code : "";
  const isBroad = code === "QueryTooBroad";
  const prefix = form.prefix === "" ? form.text.split(/[*?]/)[0] : form.prefix;
  return (
    <div class="section">
      <ErrorPanel failure={failure} onRetry={onRetry} />
      {isBroad ? (
        <p class="ways-on">
          <Button icon="search" onClick={onScan}>
            {t("search.scan")}
          </Button>
        </p>
      ) : null}
      {isBroad || code === "AccessDenied" || code === "NotImplemented" ? (
        <p>
          <a href={hrefOf(["buckets", bucket, "objects"], { prefix: prefix === "" ? undefined : prefix })}>
            {t("search.byPrefix")}
          </a>
        </p>
      ) : null}
    </div>
  );
}
