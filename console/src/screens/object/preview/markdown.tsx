// Renders Markdown as elements: headings, lists, quotes, code, emphasis and links. Raw HTML stays text, and images are
// named but not loaded, so that a document cannot track its readers.
import type { ComponentChildren } from "preact";

export function Markdown({ text }: { readonly text: string }) {
  return <div class="object-markdown">{blocksOf(text.replaceAll("\r\n", "\n").split("\n"))}</div>;
}

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
/** Quotes nested deeper than this stay text. */
const DEPTH_MAX = 8;

function blocksOf(lines: readonly string[], depth = 0): ComponentChildren[] {
  const blocks: ComponentChildren[] = [];
  let at = 0;
  const takeWhile = (matches: (line: string) => boolean): string[] => {
    const from = at;
    while (at < lines.length && matches(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line)?.[1];
    const heading = HEADING.exec(line);
    if (fence !== undefined) {
      at += 1;
      const code = takeWhile((one) => !one.trimStart().startsWith(fence));
      at += 1;
      blocks.push(<pre tabIndex={0}>{code.join("\n")}</pre>);
    } else if (heading !== null) {
      at += 1;
      blocks.push(headingOf((heading[1] ?? "").length, inlineOf(heading[2] ?? "")));
    } else if (RULE.test(line)) {
      at += 1;
      blocks.push(<hr />);
    } else if (QUOTE.test(line) && depth < DEPTH_MAX) {
      const quoted = takeWhile((one) => QUOTE.test(one)).map((one) => QUOTE.exec(one)?.[1] ?? "");
      blocks.push(<blockquote>{blocksOf(quoted, depth + 1)}</blockquote>);
    } else if (ITEM.test(line)) {
      const isNumbered = ITEM.exec(line)?.[1] !== undefined;
      const items = takeWhile((one) => ITEM.test(one)).map((one) => <li>{inlineOf(ITEM.exec(one)?.[2] ?? "")}</li>);
      blocks.push(isNumbered ? <ol>{items}</ol> : <ul>{items}</ul>);
    } else if (line.trim() === "") {
      at += 1;
    } else {
      // Always consumes the first line, so that every turn makes progress.
      at += 1;
      const more = takeWhile(
        (one) => one.trim() !== "" && ![FENCE, HEADING, QUOTE, ITEM].some((form) => form.test(one)),
      );
      blocks.push(<p>{inlineOf([line, ...more].join("\n"))}</p>);
    }
  }
  return blocks;
}

/** The page has headings of its own above the document's. */
function headingOf(level: number, content: ComponentChildren) {
  if (level === 1) return <h3>{content}</h3>;
  return level === 2 ? <h4>{content}</h4> : <h5>{content}</h5>;
}

const INLINE =
  /(?<code>`+)(?<inCode>[^`]+)\k<code>|!\[(?<alt>[^\]\n]*)\]\([^)\s]*[^)]*\)|\[(?<label>[^\]\n]+)\]\((?<target>[^)\s]+)[^)]*\)|\*\*(?<strong>[^*\n]+)\*\*|(?<![\w*])[*_](?<emphasis>[^*_\n]+)[*_](?![\w*])/g;

function inlineOf(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const { inCode, alt, label, target = "", strong, emphasis } = match.groups ?? {};
    if (inCode !== undefined) parts.push(<code>{inCode}</code>);
    else if (strong !== undefined) parts.push(<strong>{strong}</strong>);
    else if (emphasis !== undefined) parts.push(<em>{emphasis}</em>);
    else if (label !== undefined) parts.push(linkOf(label, target));
    else parts.push(<em>[{alt}]</em>);
  }
  return [...parts, text.slice(from)];
}

/** Only HTTP and HTTPS addresses are links; a `javascript:` address stays text. */
function linkOf(label: string, target: string) {
  if (!/^https?:\/\//i.test(target)) return `${label} (${target})`;
  return (
    <a href={target} target="_blank" rel="noopener noreferrer" title={target}>
      {label}
    </a>
  );
}
