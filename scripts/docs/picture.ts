// Draws how Cairn works as SVG text: boxes, arrows between them, and one label per arrow.

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly fill: string;
}

interface Arrow {
  readonly from: readonly [x: number, y: number];
  readonly to: readonly [x: number, y: number];
  readonly label: string;
  /** The position of the label; its anchor is `start`. */
  readonly at: readonly [x: number, y: number];
}

const WIDTH = 870;
const HEIGHT = 330;
const BOX_HEIGHT = 76;
const INK = "#1f2937";
const FAINT = "#6b7280";

const BOXES: readonly Box[] = [
  {
    x: 20,
    y: 127,
    width: 170,
    title: "S3 clients",
    lines: ["SDKs, aws-cli, rclone,", "presigned URLs, forms"],
    fill: "#f3f4f6",
  },
  {
    x: 300,
    y: 127,
    width: 190,
    title: "Worker",
    lines: ["verifies, authorises,", "streams bytes"],
    fill: "#fde7d3",
  },
  {
    x: 640,
    y: 16,
    width: 200,
    title: "Durable Objects",
    lines: ["order the writes of a key,", "decide conditional writes"],
    fill: "#e0e7ff",
  },
  {
    x: 640,
    y: 127,
    width: 200,
    title: "D1",
    lines: ["buckets, objects, versions,", "users: the only authority"],
    fill: "#dcfce7",
  },
  { x: 640, y: 238, width: 200, title: "R2", lines: ["immutable blobs", "under unique ids"], fill: "#dbeafe" },
];

const ARROWS: readonly Arrow[] = [
  { from: [190, 165], to: [298, 165], label: "S3 API", at: [222, 157] },
  { from: [490, 145], to: [638, 60], label: "3. commit", at: [500, 88] },
  { from: [740, 92], to: [740, 125], label: "guarded batch", at: [748, 113] },
  { from: [490, 165], to: [638, 165], label: "1. one lookup", at: [522, 157] },
  { from: [490, 185], to: [638, 268], label: "2. bytes", at: [500, 245] },
];

/** Returns the picture as the text of an SVG file. */
export function picture(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    `  <title id="title">A write: one lookup in D1, bytes into R2, a commit through a Durable Object</title>`,
    `  <defs>`,
    `    <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">`,
    `      <path d="M0 0 8 4 0 8z" fill="${FAINT}"/>`,
    `    </marker>`,
    `  </defs>`,
    `  <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `  <g font-family="system-ui, sans-serif">`,
    ...ARROWS.map(arrow),
    ...BOXES.map(box),
    `  </g>`,
    `</svg>`,
    ``,
  ].join("\n");
}

function box({ x, y, width, title, lines, fill }: Box): string {
  const middle = x + width / 2;
  return [
    `    <rect x="${x}" y="${y}" width="${width}" height="${BOX_HEIGHT}" rx="8" fill="${fill}" stroke="${FAINT}"/>`,
    text(middle, y + 24, title, `font-size="15" font-weight="600" fill="${INK}" text-anchor="middle"`),
    ...lines.map((line, index) =>
      text(middle, y + 44 + index * 17, line, `font-size="13" fill="${INK}" text-anchor="middle"`),
    ),
  ].join("\n");
}

function arrow({ from, to, label, at }: Arrow): string {
  return [
    `    <path d="M${from.join(" ")} L${to.join(" ")}" stroke="${FAINT}" fill="none" marker-end="url(#tip)"/>`,
    text(at[0], at[1], label, `font-size="12" fill="${FAINT}"`),
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `    <text x="${x}" y="${y}" ${attributes}>${content}</text>`;
}
