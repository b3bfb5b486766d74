// Chinese texts of the addresses of public objects.
import type { addresses as english } from "../en/addresses.ts";

export const addresses: Readonly<Record<keyof typeof english, string>> = {
  "addresses.copy": "复制公开地址",
  "addresses.copyOf": "复制 {name} 的公开地址",
  "addresses.copyMany": "复制公开地址",
  "addresses.copyAll": "复制全部公开地址",
  "addresses.copyBase": "复制基础地址",
  "addresses.copied.one": "已复制 {count} 个公开地址。",
  "addresses.copied.other": "已复制 {count} 个公开地址。",
  "addresses.baseCopied": "已复制：{address}",
  "addresses.none": "这里没有无需凭证即可通过地址读取的对象，因此未复制任何内容。",
  "addresses.left.one": "{count} 个对象没有公开地址。",
  "addresses.left.other": "{count} 个对象没有公开地址。",
  "addresses.cut.one": "只处理了第一个对象。请打开文件夹以复制其中的地址。",
  "addresses.cut.other": "只处理了前 {count} 个对象。请打开文件夹以复制其中的地址。",
  "addresses.job": "正在收集 {bucket} 中的公开地址",
  "addresses.progress.one": "目前 {count} 个对象",
  "addresses.progress.other": "目前 {count} 个对象",
  "addresses.refused": "浏览器不允许页面自行复制。",
  "addresses.shortcut": "复制所选条目或当前项的公开地址",
};
