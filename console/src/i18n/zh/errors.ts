// Chinese texts of errors.
import type { errors as english } from "../en/errors.ts";

export const errors: Readonly<Record<keyof typeof english, string>> = {
  "error.title": "操作未成功",
  "error.details": "详情",
  "error.code": "错误代码",
  "error.requestId": "请求 ID",
  "error.wrongKey": "访问密钥或其私钥有误，或该密钥已停用。",
  "error.expiredToken": "临时凭证已过期。请重新登录。",
  "error.invalidToken": "会话令牌不属于此访问密钥。",
  "error.accessDenied": "您无权执行此操作。",
  "error.noSuchBucket": "存储桶 {bucket} 不存在或已被删除。",
  "error.noSuchKey": "对象不存在或已被删除。",
  "error.skewed": "此设备的时钟偏差 {skew}。请校正时钟，或刷新页面。",
  "error.bucketNotEmpty": "存储桶不是空的。请先清空。",
  "error.bucketExists": "同名存储桶已存在。",
  "error.invalidBucketName": "存储桶名称无效。",
  "error.quota": "存储桶的配额已用完。",
  "error.locked": "此版本受对象锁定保护。",
  "error.slowDown": "服务器繁忙，请稍后重试。",
  "error.server": "服务器出错。请重试；若仍然失败，请把请求 ID 发给运维人员。",
  "error.network": "无法连接服务器。请检查网络后重试。",
  "error.unreachableKey": "浏览器无法访问含有 . 或 .. 路径段的键。请先重命名该对象。",
  "error.notImplemented": "此服务器不提供该功能。",
  "error.signInAgain": "重新登录",
  "error.showBuckets": "查看存储桶",
  "error.unknown": "此页面发生了意外情况。",
};
