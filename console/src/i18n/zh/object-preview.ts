// Chinese texts of the preview of an object.
import type { objectPreview as english } from "../en/object-preview.ts";

export const objectPreview: Readonly<Record<keyof typeof english, string>> = {
  "objectPreview.heading": "预览",
  "objectPreview.source": "显示源码",
  "objectPreview.empty": "对象为空。",
  "objectPreview.none": "无法预览此类文件。请下载后查看。",
  "objectPreview.broken": "浏览器无法显示此文件。请下载后用其他程序打开。",
  "objectPreview.alt": "对象的内容",
  "objectPreview.cut": "仅显示 {all} 中的前 {size}。",
  "objectPreview.table": "文件的各行",
  "objectPreview.rows": "仅显示前 {count} 行。",
  "objectPreview.tooBig": "文件过大，无法预览。请下载后查看。",
};
