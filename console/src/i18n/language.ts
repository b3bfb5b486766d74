// The chosen language and its texts. English is always loaded; other languages are loaded when they are chosen.
import { signal } from "@preact/signals";
import { type Dictionary, en, type TextKey } from "./en.ts";
import { visibleText } from "./visible-text.ts";

/** The languages by their code, with their own names. */
export const LANGUAGES = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Readonly<Record<Language, () => Promise<Dictionary>>> = {
  en: () => Promise.resolve(en),
  zh: () => import("./zh.ts").then(({ zh }) => zh),
};

/** Tags for `lang` and for Intl. */
const TAGS: Readonly<Record<Language, string>> = { en: "en", zh: "zh-Hans" };

interface Loaded {
  readonly language: Language;
  readonly texts: Dictionary;
}

const loaded = signal<Loaded>({ language: "en", texts: en });

/** The language that is shown. */
export function currentLanguage(): Language {
  return loaded.value.language;
}

/** The tag of the shown language, for Intl. */
export function languageTag(): string {
  return TAGS[loaded.value.language];
}

/** Loads and shows a language. */
export async function showLanguage(language: Language): Promise<void> {
  const texts = await LOADERS[language]();
  loaded.value = { language, texts };
  document.documentElement.lang = TAGS[language];
}

/** The first of the browser's languages that the console has. */
export function preferredLanguage(): Language {
  for (const tag of navigator.languages) {
    const [code = ""] = tag.toLowerCase().split("-");
    if (isLanguage(code)) return code;
  }
  return "en";
}

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

export type Values = Readonly<Record<string, string | number>>;

/** A text in the shown language, with values in place of `{names}`. */
export function t(key: TextKey, values: Values = {}): string {
  return fill(loaded.value.texts[key], values);
}

/** Names of texts that have a form for one and a form for several. */
type PluralKey = { [Key in TextKey]: Key extends `${infer Stem}.other` ? Stem : never }[TextKey];

/** A text that depends on a count: of the texts `key.one` and `key.other`, the one that the language asks for. */
export function plural(key: PluralKey, count: number, values: Values = {}): string {
  const form = new Intl.PluralRules(languageTag()).select(count) === "one" ? "one" : "other";
  const texts: Readonly<Record<string, string>> = loaded.value.texts;
  const text = texts[`${key}.${form}`] ?? texts[`${key}.other`] ?? key;
  return fill(text, { count: new Intl.NumberFormat(languageTag()).format(count), ...values });
}

function fill(text: string, values: Values): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => visibleText(String(values[name] ?? whole)));
}
