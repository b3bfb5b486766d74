// Form fields, each with its label, hint and error.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** The error of the value. */
  readonly problem?: string | undefined;
}

interface TextProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isDisabled?: boolean;
  readonly isRequired?: boolean;
}

export interface TextFieldProps extends TextProps {
  readonly type?: "text" | "password" | "number" | "search" | "url" | "date" | "datetime-local";
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly hasFocus?: boolean;
  readonly min?: number;
  readonly max?: number;
}

export function TextField(props: TextFieldProps) {
  const { label, hint, problem, value, onChange, type = "text", placeholder, autocomplete = "off" } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...inputType(type)}
        value={value}
        placeholder={placeholder}
        autocomplete={autocomplete}
        spellcheck={false}
        autocapitalize="off"
        autofocus={props.hasFocus === true}
        disabled={props.isDisabled === true}
        required={props.isRequired === true}
        min={props.min}
        max={props.max}
        {...described(id, hint, problem)}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Notes id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** Preact ties the type of an input to its role, so a type that varies has to be spread. */
function inputType(type: string): object {
  return { type };
}

export interface TextAreaProps extends TextProps {
  readonly rows?: number;
  /** For code: no wrapping, and letters of one width. */
  readonly isCode?: boolean;
}

export function TextArea(props: TextAreaProps) {
  const { label, hint, problem, value, onChange, rows = 8, isCode = false } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        class={isCode ? "code" : ""}
        wrap={isCode ? "off" : "soft"}
        spellcheck={!isCode}
        value={value}
        disabled={props.isDisabled === true}
        required={props.isRequired === true}
        {...described(id, hint, problem)}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Notes id={id} hint={hint} problem={problem} />
    </div>
  );
}

export interface SelectFieldProps<Value extends string> extends FieldProps {
  readonly value: Value;
  readonly options: readonly (readonly [value: Value, label: string])[];
  readonly onChange: (value: Value) => void;
  readonly isDisabled?: boolean;
}

export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { label, hint, problem, value, options, onChange, isDisabled = false } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        disabled={isDisabled}
        {...described(id, hint, problem)}
        onChange={({ currentTarget }) => {
          const chosen = options.find(([option]) => option === currentTarget.value);
          if (chosen !== undefined) onChange(chosen[0]);
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option} selected={option === value}>
            {text}
          </option>
        ))}
      </select>
      <Notes id={id} hint={hint} problem={problem} />
    </div>
  );
}

export interface CheckFieldProps extends FieldProps {
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
  readonly isDisabled?: boolean;
}

export function CheckField({ label, hint, problem, isChecked, onChange, isDisabled = false }: CheckFieldProps) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        type="checkbox"
        checked={isChecked}
        disabled={isDisabled}
        {...described(id, hint, problem)}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <Notes id={id} hint={hint} problem={problem} />
    </div>
  );
}

/** Links a field with its hint and its error for assistive technology. */
function described(id: string, hint: ComponentChildren, problem: string | undefined) {
  const ids = [hint === undefined ? "" : `${id}-hint`, problem === undefined ? "" : `${id}-problem`].filter(Boolean);
  return {
    ...(ids.length === 0 ? {} : { "aria-describedby": ids.join(" ") }),
    ...(problem === undefined ? {} : { "aria-invalid": true }),
  };
}

function Notes({ id, hint, problem }: { id: string; hint: ComponentChildren; problem: string | undefined }) {
  return (
    <>
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem === undefined ? null : (
        <p class="problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
