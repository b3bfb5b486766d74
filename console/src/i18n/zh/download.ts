// Chinese texts of downloads.
import type { download as english } from "../en/download.ts";

export const download: Readonly<Record<keyof typeof english, string>> = {
  "download.action": "下载",
  "download.zip": "下载为 ZIP",
  "download.tooMany": "一个 ZIP 最多包含 {most} 个对象。请减少所选项目，或逐个下载文件夹。",
  "download.unnamed.one": "{count} 个键含有控制字符，ZIP 列表无法表示，已略过。",
  "download.unnamed.other": "{count} 个键含有控制字符，ZIP 列表无法表示，已略过。",
};
