// A virtual list: only the rows in view are in the document. All rows have the same height.
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

export interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  /** In pixels. */
  readonly rowHeight: number;
  readonly renderRow: (index: number) => ComponentChildren;
  /** Called when the rows before the end come into view. */
  readonly onNearEnd?: () => void;
  /** A row that is scrolled into view when it changes. */
  readonly focusedIndex?: number | undefined;
  readonly role?: "list" | "listbox" | "grid";
}

/** The number of rows before the end at which the next page is loaded. */
const NEAR_END = 50;
/** In pixels. */
const BORDERS = 2;

export function VirtualList(props: VirtualListProps) {
  const { label, count, rowHeight, renderRow, onNearEnd, focusedIndex, role = "list" } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer<number, void>((version) => version + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLDivElement, HTMLDivElement>(options));
  virtualizer.setOptions(options);
  // The adapters of the library call these two; it has no other names for them.
  // oxlint-disable-next-line no-underscore-dangle
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  // oxlint-disable-next-line no-underscore-dangle
  useLayoutEffect(() => virtualizer._willUpdate());
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);
  useEffect(() => {
    if (focusedIndex !== undefined) virtualizer.scrollToIndex(focusedIndex, { align: "auto" });
  }, [virtualizer, focusedIndex]);
  const rows = virtualizer.getVirtualItems();
  const lastShown = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (count > 0 && lastShown >= count - NEAR_END) onNearEnd?.();
  }, [count, lastShown, onNearEnd]);
  return (
    // A region that scrolls must be reachable with the keyboard.
    <div
      ref={scroller}
      class="virtual-list"
      style={{ height: `min(${virtualizer.getTotalSize() + BORDERS}px, max(16rem, 100dvh - 22rem))` }}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <div role={role} aria-label={label} class="virtual-rows" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {rows.map(({ index, start }) => (
          <div
            key={index}
            class="virtual-row"
            role={role === "list" ? "listitem" : undefined}
            style={{ height: `${rowHeight}px`, transform: `translateY(${start}px)` }}
          >
            {renderRow(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
