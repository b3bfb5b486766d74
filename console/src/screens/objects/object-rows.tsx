// The list of folders and objects, as a virtual list.
import { useCallback } from "preact/hooks";
import { isReachable } from "../../clients/paths.ts";
import type { PublicAddresses } from "../../clients/public-addresses.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { VirtualList } from "../../components/virtual-list.tsx";
import { copyText } from "../../data/clipboard.ts";
import { formatBytes, formatTime } from "../../data/formats.ts";
import type { ObjectRow } from "../../data/object-list.ts";
import type { MenuAction } from "../../components/menu.tsx";
import { plural, t } from "../../i18n/language.ts";
import type { Sort, SortColumn } from "./folder-view.ts";
import { visibleText } from "../../i18n/visible-text.ts";
import { Name } from "../../components/name.tsx";

const ROW_HEIGHT = 40;

export interface ObjectRowsProps {
  readonly rows: readonly ObjectRow[];
  readonly selected: Pick<ReadonlySet<string>, "has">;
  readonly focused: number | undefined;
  /** Undefined where the order is the server's alone. */
  readonly sort?: Sort;
  readonly onSort?: (column: SortColumn) => void;
  readonly onFocus: (index: number) => void;
  readonly onToggle: (row: ObjectRow) => void;
  readonly onToggleAll: () => void;
  readonly hrefFor: (row: ObjectRow) => string;
  readonly menuFor: (row: ObjectRow) => readonly MenuAction[];
  readonly onNearEnd: () => void;
  /** Defined if everyone may read some keys of the bucket. */
  readonly addresses?: PublicAddresses | undefined;
}

export function ObjectRows(props: ObjectRowsProps) {
  const { rows, selected, focused, onToggleAll, onNearEnd, addresses } = props;
  const isAll = rows.every(({ key }) => selected.has(key));
  const renderRow = useCallback((index: number) => <Row {...props} index={index} />, [props]);
  return (
    <div class={`object-list${addresses === undefined ? "" : " has-addresses"}`}>
      <div class="object-head object-cells">
        <input type="checkbox" aria-label={t("objects.selectAll")} checked={isAll} onChange={onToggleAll} />
        <SortHeading column="name" {...props} />
        <SortHeading column="size" {...props} />
        <SortHeading column="modified" {...props} />
        <span />
        {addresses === undefined ? null : <span />}
      </div>
      <VirtualList
        label={t("objects.list")}
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        renderRow={renderRow}
        focusedIndex={focused}
        onNearEnd={onNearEnd}
      />
    </div>
  );
}

const HEADINGS = {
  name: { text: "objects.name", class: "" },
  size: { text: "objects.size", class: "object-size" },
  modified: { text: "objects.modified", class: "object-time" },
} as const;

/** The heading of a column, which sorts by it. */
function SortHeading({ column, sort, onSort }: Pick<ObjectRowsProps, "sort" | "onSort"> & { column: SortColumn }) {
  const heading = HEADINGS[column];
  const text = t(heading.text);
  if (sort === undefined || onSort === undefined) return <span class={heading.class}>{text}</span>;
  const isChosen = sort.column === column;
  const order = isChosen ? t(sort.isDescending ? "objects.descending" : "objects.ascending") : "";
  return (
    <span class={heading.class}>
      <button type="button" class="object-sort" title={t("objects.sortBy", { text })} onClick={() => onSort(column)}>
        {text}
        {isChosen ? <span aria-hidden="true"> {sort.isDescending ? "↓" : "↑"}</span> : null}
        {isChosen ? <span class="visually-hidden"> ({order})</span> : null}
      </button>
    </span>
  );
}

function Row({ index, ...props }: ObjectRowsProps & { readonly index: number }) {
  const row = props.rows[index];
  if (row === undefined) return null;
  const { name } = row;
  const object = row.type === "object" ? row.object : undefined;
  const address = object === undefined ? undefined : props.addresses?.of(row.key);
  const isUnreachable = object !== undefined && !isReachable(row.key);
  return (
    <div
      class={`object-cells object-row${props.focused === index ? " focused" : ""}`}
      onClick={() => props.onFocus(index)}
    >
      <input
        type="checkbox"
        aria-label={t("objects.select", { name })}
        checked={props.selected.has(row.key)}
        onChange={() => props.onToggle(row)}
      />
      <span class="object-name" title={isUnreachable ? t("objects.unreachable") : visibleText(row.key)}>
        <Icon name={row.type === "folder" ? "folder" : isUnreachable ? "warning" : "file"} />
        {isUnreachable ? (
          <Name text={name} />
        ) : (
          <a href={props.hrefFor(row)}>
            <Name text={name === "" ? "(//)" : name} />
          </a>
        )}
      </span>
      <span class="object-size">{object === undefined ? "" : formatBytes(object.bytes)}</span>
      <span class="object-time">{object === undefined ? "" : formatTime(object.modifiedAt)}</span>
      {address !== undefined ? (
        <Button
          kind="quiet"
          icon="link"
          label={t("addresses.copyOf", { name })}
          onClick={() => void copyText(address, plural("addresses.copied", 1))}
        />
      ) : props.addresses === undefined ? null : (
        <span />
      )}
      <Menu label={t("objects.actionsOf", { name })} actions={props.menuFor(row)} />
    </div>
  );
}
