// The name of a bucket, a key, a file or a tag. It is text that someone else chose: all its characters can be seen, and it
// turns no text around it.
import { visibleText } from "../i18n/visible-text.ts";

export function Name({ text, isBroken = false }: { readonly text: string; readonly isBroken?: boolean }) {
  return <bdi class={isBroken ? "object-break" : undefined}>{visibleText(text)}</bdi>;
}
