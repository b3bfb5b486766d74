// Chinese texts of a bucket's settings.
import type { settings as english } from "../en/settings.ts";

export const settings: Readonly<Record<keyof typeof english, string>> = {
  "settings.versioning": "版本控制",
  "versioning.Enabled": "版本控制已启用。覆盖或删除对象时会保留原有内容，并可恢复。",
  "versioning.Suspended": "版本控制已暂停。之前的版本会保留；新的写入会替换没有版本 ID 的最新版本。",
  "versioning.off": "版本控制未启用。覆盖或删除对象会移除原有内容。",
  "versioning.turnOn": "启用版本控制",
  "versioning.suspend": "暂停版本控制",
  "versioning.turnedOn": "已启用版本控制。",
  "versioning.suspended": "已暂停版本控制。",
};
