// A button that copies a text and confirms it.
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/language.ts";
import { Button } from "./button.tsx";

const SHOWN_MS = 2000;

export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <Button icon={isCopied ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">{isCopied ? t("action.copied") : (label ?? t("action.copy"))}</span>
    </Button>
  );
}
