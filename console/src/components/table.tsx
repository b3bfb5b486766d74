// A table; its columns define how cells render. On a narrow screen, each row becomes a block.
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Right-aligned, digits of one width. */
  readonly isNumber?: boolean;
  /** The column that names the row. */
  readonly isHeader?: boolean;
  /** Only assistive technology gets the title. */
  readonly hidesTitle?: boolean;
}

export interface TableProps<Row> {
  /** The caption, for assistive technology. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
}

export function Table<Row>({ label, columns, rows, rowKey }: TableProps<Row>) {
  return (
    <table class="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.id} scope="col" class={column.isNumber === true ? "number" : ""}>
              {column.hidesTitle === true ? <span class="visually-hidden">{column.title}</span> : column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((column) => {
              const cellProps = { "data-title": column.title, class: column.isNumber === true ? "number" : "" };
              return column.isHeader === true ? (
                <th key={column.id} scope="row" {...cellProps}>
                  {column.cell(row)}
                </th>
              ) : (
                <td key={column.id} {...cellProps}>
                  {column.cell(row)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
