// Chinese texts of the sign-in page.
import type { signIn as english } from "../en/sign-in.ts";

export const signIn: Readonly<Record<keyof typeof english, string>> = {
  "signIn.title": "登录 Cairn",
  "signIn.lead": "使用访问密钥或临时凭证。它们只在此页面中为请求签名，不会发送给任何人。",
  "signIn.accessKeyId": "访问密钥 ID",
  "signIn.secret": "私有访问密钥",
  "signIn.token": "会话令牌",
  "signIn.tokenHint": "只有临时凭证才有。",
  "signIn.remember": "保留到此标签页关闭",
  "signIn.rememberHint": "否则刷新页面后需重新登录：密钥只保存在此页面的内存中。",
  "signIn.submit": "登录",
  "signIn.busy": "正在登录…",
  "signIn.endpoint": "端点",
  "signIn.insecure": "此页面需要 HTTPS，或本机地址（如 http://localhost）：浏览器只在这些地址上签名请求。",
  "signIn.badLink": "登录链接不完整。请复制完整链接，或使用访问密钥登录。",
  "signIn.endedLink": "登录链接已被使用或已过期。请使用访问密钥登录，或重新生成链接。",
  "signIn.expired": "会话已结束。请重新登录，之后会回到原来的页面。",
  "signIn.unreachable": "无法连接服务器。您的会话已保留。",
  "signIn.resume": "恢复会话",
  "signIn.required": "请填写此项。",
};
