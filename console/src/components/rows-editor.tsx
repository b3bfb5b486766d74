// Edits a list of values such as tags or rules: add, change, remove.
import type { ComponentChildren } from "preact";
import { t } from "../i18n/language.ts";
import { Button } from "./button.tsx";

export interface RowsEditorProps<Row> {
  /** The label of a row with its number: `Rule 2`. */
  readonly rowName: (number: number) => string;
  readonly rows: readonly Row[];
  readonly onChange: (rows: readonly Row[]) => void;
  readonly renderRow: (row: Row, change: (row: Row) => void) => ComponentChildren;
  readonly newRow: () => Row;
  readonly addLabel: string;
  /** Rows of few fields are lines; others are blocks. */
  readonly isInline?: boolean;
}

export function RowsEditor<Row>(props: RowsEditorProps<Row>) {
  const { rowName, rows, onChange, renderRow, newRow, addLabel, isInline = false } = props;
  return (
    <div class={isInline ? "rows inline" : "rows"}>
      {rows.map((row, index) => (
        <fieldset key={index}>
          <legend class={isInline ? "visually-hidden" : ""}>{rowName(index + 1)}</legend>
          {renderRow(row, (changed) => onChange(rows.with(index, changed)))}
          <Button
            kind="quiet"
            icon="trash"
            label={t("rows.remove", { row: rowName(index + 1) })}
            onClick={() => onChange(rows.toSpliced(index, 1))}
          />
        </fieldset>
      ))}
      <p>
        <Button icon="plus" onClick={() => onChange([...rows, newRow()])}>
          {addLabel}
        </Button>
      </p>
    </div>
  );
}
