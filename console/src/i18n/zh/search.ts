// Chinese texts of the search over a bucket.
import type { search as english } from "../en/search.ts";

export const search: Readonly<Record<keyof typeof english, string>> = {
  "search.open": "搜索存储桶",
  "search.title": "搜索整个存储桶",
  "search.hint": "可按键的一部分、通配模式、标签、大小或最后修改日期搜索。",
  "search.back": "返回文件夹",
  "search.text": "键中的文本",
  "search.textHint": "区分大小写。含 *（任意文本）或 ?（一个字符）时，作为整个键的通配模式。",
  "search.go": "搜索",
  "search.more": "更多条件",
  "search.prefix": "键的开头",
  "search.tag": "标签",
  "search.tagValue": "标签的值（留空表示任意值）",
  "search.min": "最小（KiB）",
  "search.max": "最大（KiB）",
  "search.after": "此日期或之后修改",
  "search.before": "此日期或之前修改",
  "search.none": "没有对象满足所有条件。",
  "search.found.one": "找到 {count} 个对象",
  "search.found.other": "找到 {count} 个对象",
  "search.foundSoFar.one": "目前找到 {count} 个对象",
  "search.foundSoFar.other": "目前找到 {count} 个对象",
  "search.scan": "检查每个对象",
  "search.byPrefix": "改为按前缀列出文件夹",
};
