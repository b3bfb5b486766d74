// The choices of theme and language, which outlive a session.
import { chooseLanguage, chooseTheme, theme, THEMES } from "../data/preferences.ts";
import type { TextKey } from "../i18n/en.ts";
import { currentLanguage, isLanguage, LANGUAGES, t } from "../i18n/language.ts";
import { SelectField } from "./fields.tsx";

export function Preferences() {
  const themeNames: Record<(typeof THEMES)[number], TextKey> = {
    system: "theme.system",
    light: "theme.light",
    dark: "theme.dark",
  };
  return (
    <div class="preferences">
      <SelectField
        label={t("theme.label")}
        value={theme.value}
        options={THEMES.map((one) => [one, t(themeNames[one])])}
        onChange={chooseTheme}
      />
      <SelectField
        label={t("language.label")}
        value={currentLanguage()}
        options={Object.entries(LANGUAGES).flatMap(([code, name]) => (isLanguage(code) ? [[code, name] as const] : []))}
        onChange={(chosen) => void chooseLanguage(chosen)}
      />
    </div>
  );
}
