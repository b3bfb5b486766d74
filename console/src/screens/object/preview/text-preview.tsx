// Shows the beginning of a text: unchanged, or rendered as JSON, as a table or as Markdown. It never becomes HTML markup.
import { useMemo, useState } from "preact/hooks";
import { CheckField } from "../../../components/fields.tsx";
import { t } from "../../../i18n/language.ts";
import { rowsOfCsv } from "./csv.ts";
import { Markdown } from "./markdown.tsx";
import type { PreviewKind } from "./preview-kind.ts";

export const TEXT_MAX_BYTES = 256 * 1024;
const ROWS_MAX = 500;

export interface TextPreviewProps {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly kind: PreviewKind;
  /** Whether more follows, so that the last line or character may be a part of one. */
  readonly isCut: boolean;
  readonly isTabbed: boolean;
}

export function TextPreview({ content, kind, isCut, isTabbed }: TextPreviewProps) {
  const [isSource, setSource] = useState(false);
  const text = useMemo(() => textOfBytes(content, isCut), [content, isCut]);
  if (text === undefined) return <p>{t("objectPreview.none")}</p>;
  const hasForm = kind === "csv" || kind === "markdown" || (kind === "json" && !isCut);
  return (
    <>
      {hasForm ? <CheckField label={t("objectPreview.source")} isChecked={isSource} onChange={setSource} /> : null}
      {hasForm && !isSource ? <Formed text={text} kind={kind} isTabbed={isTabbed} /> : <Plain text={text} />}
    </>
  );
}

function Formed({
  text,
  kind,
  isTabbed,
}: {
  readonly text: string;
  readonly kind: PreviewKind;
  readonly isTabbed: boolean;
}) {
  if (kind === "csv") return <CsvTable text={text} isTabbed={isTabbed} />;
  if (kind === "markdown") return <Markdown text={text} />;
  return <Plain text={indented(text)} />;
}

function Plain({ text }: { readonly text: string }) {
  return (
    <pre class="object-text" dir="auto" tabIndex={0} role="region" aria-label={t("objectPreview.heading")}>
      {text}
    </pre>
  );
}

function CsvTable({ text, isTabbed }: { readonly text: string; readonly isTabbed: boolean }) {
  const rows = useMemo(() => rowsOfCsv(text, isTabbed ? "\t" : undefined, ROWS_MAX + 1), [text, isTabbed]);
  const [head = [], ...body] = rows;
  return (
    <>
      <div class="object-table" tabIndex={0} role="region" aria-label={t("objectPreview.table")}>
        <table>
          <thead>
            <tr>
              {head.map((cell, index) => (
                <th key={index} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.slice(0, ROWS_MAX - 1).map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS_MAX ? <p class="hint">{t("objectPreview.rows", { count: ROWS_MAX })}</p> : null}
    </>
  );
}

/** The text of bytes in UTF-8 or UTF-16; undefined if they are no text. */
export function textOfBytes(content: Uint8Array<ArrayBuffer>, isCut: boolean): string | undefined {
  const [first, second] = content;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (!isWide && content.includes(0)) return undefined;
  const name = isWide ? (first === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  try {
    // The cut may split a character; the decoder keeps its first bytes.
    return new TextDecoder(name, { fatal: true }).decode(content, { stream: isCut });
  } catch {
    return new TextDecoder("windows-1252").decode(content);
  }
}

function indented(text: string): string {
  try {
    // Parsing would change numbers beyond a double's precision, so such texts stay unchanged.
    if (/\d{16}/.test(text)) return text;
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
