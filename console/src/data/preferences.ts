// Theme and language, stored in this browser. Only they outlive a session.
import { signal } from "@preact/signals";
import { isLanguage, type Language, preferredLanguage, showLanguage } from "../i18n/language.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const THEME_KEY = "cairn.theme";
const LANGUAGE_KEY = "cairn.language";

export const theme = signal<Theme>("system");

/** Applies the stored choices. */
export async function applyPreferences(): Promise<void> {
  const kept = localStorage.getItem(THEME_KEY);
  applyTheme(THEMES.find((one) => one === kept) ?? "system");
  const language = localStorage.getItem(LANGUAGE_KEY) ?? "";
  await showLanguage(isLanguage(language) ? language : preferredLanguage());
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(THEME_KEY, chosen);
  applyTheme(chosen);
}

export async function chooseLanguage(chosen: Language): Promise<void> {
  localStorage.setItem(LANGUAGE_KEY, chosen);
  await showLanguage(chosen);
}

function applyTheme(chosen: Theme): void {
  theme.value = chosen;
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}
