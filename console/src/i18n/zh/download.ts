// Chinese texts of downloads.
import type { download as english } from "../en/download.ts";

export const download: Readonly<Record<keyof typeof english, string>> = {
  "download.action": "下载",
  "download.zip": "下载为 ZIP",
  "download.parts.one": "{count} 个对象超出一个 ZIP 的容量，将分成 {parts} 个或更多 ZIP 依次下载。",
  "download.parts.other":
    "{count} 个对象超出一个 ZIP 的容量，将分成 {parts} 个或更多 ZIP 依次下载；浏览器可能会询问是否保存多个文件。",
  "download.start": "下载",
  "download.partBegins.one": "第 {number} 个 ZIP 开始下载，含 {count} 个对象。",
  "download.partBegins.other": "第 {number} 个 ZIP 开始下载，含 {count} 个对象。",
  "download.unnamed.one": "{count} 个键含有控制字符，ZIP 列表无法表示，已略过。",
  "download.unnamed.other": "{count} 个键含有控制字符，ZIP 列表无法表示，已略过。",
};
