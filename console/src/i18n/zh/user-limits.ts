// Chinese texts of a user's limits and usage.
import type { userLimits as english } from "../en/user-limits.ts";

export const userLimits: Readonly<Record<keyof typeof english, string>> = {
  "limits.title": "限制",
  "limits.lead": "该用户创建的存储桶合计可存储的量，以及其密钥可发送和接收的量。它们是用户的标签（docs/quotas.md）。",
  "limits.maxBytes": "存储字节数",
  "limits.maxObjects": "存储对象数",
  "limits.requests": "每秒请求数",
  "limits.bytesIn": "每秒流入字节数",
  "limits.bytesOut": "每秒流出字节数",
  "limits.keyRequests": "每个密钥每秒请求数",
  "limits.keyBytesIn": "每个密钥每秒流入字节数",
  "limits.keyBytesOut": "每个密钥每秒流出字节数",
  "limits.whole": "整数，至少为 {least}；留空表示不限制",
  "limits.save": "保存限制",
  "limits.saved": "限制已保存。",
  "userUsage.title": "最近 {days} 天的请求",
  "userUsage.lead": "该用户的密钥及其启动的会话的请求。已删除的密钥不会列出。",
  "userUsage.denied": "拥有 s3:GetAccountRequestUsage 权限者可以查看。",
  "userUsage.nothing": "没有计入任何请求。",
  "userUsage.byKey": "按访问密钥的请求",
  "userUsage.requests": "请求数",
};
