// A configuration as text, for options that a form lacks: checked while the user types, with examples.
import { useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { TextArea } from "../../components/fields.tsx";
import type { Change } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";

export interface Example {
  readonly label: string;
  readonly text: string;
}

export interface DocumentFormProps {
  readonly label: string;
  /** The stored document; undefined: none. */
  readonly stored: string | undefined;
  readonly change: Change;
  /** Returns the error of a text, if it has one. */
  readonly check: (text: string) => string | undefined;
  readonly onSave: (text: string) => void;
  readonly onRemove: () => void;
  readonly examples?: readonly Example[];
}

export function DocumentForm({ label, stored, change, check, onSave, onRemove, examples = [] }: DocumentFormProps) {
  const [text, setText] = useState(stored ?? "");
  const problem = text.trim() === "" ? undefined : check(text);
  return (
    <>
      {examples.length === 0 ? null : (
        <div class="actions" role="group" aria-label={t("settings.examples")}>
          <span class="hint">{t("settings.examples")}</span>
          {examples.map((example) => (
            <Button key={example.label} onClick={() => setText(example.text)}>
              {example.label}
            </Button>
          ))}
        </div>
      )}
      <TextArea label={label} value={text} onChange={setText} rows={18} isCode problem={problem} />
      <FormActions
        change={change}
        canSave={text.trim() !== "" && problem === undefined}
        onSave={() => onSave(text)}
        onRemove={stored === undefined ? undefined : onRemove}
      />
    </>
  );
}

/** Returns the syntax error of a JSON text. */
export function checkJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return t("settings.notJson", { reason: error instanceof Error ? error.message : "" });
  }
}

/** Returns the syntax error of an XML text. */
export function checkXml(text: string): string | undefined {
  const document = new DOMParser().parseFromString(text, "application/xml");
  return document.querySelector("parsererror") === null ? undefined : t("settings.notXml");
}
