// Temporary credentials of the caller, by each of the three operations of STS.
import { useState } from "preact/hooks";
import { assumeRole, getFederationToken, getSessionToken, type TemporaryCredentials } from "../../clients/sts.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextArea, TextField } from "../../components/fields.tsx";
import { formatTime } from "../../data/formats.ts";
import { requireSession, useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";
import { CredentialsDialog } from "./credentials-dialog.tsx";
import { policyProblem } from "./policy-problem.ts";

type Way = "GetSessionToken" | "GetFederationToken" | "AssumeRole";

const HINTS = {
  GetSessionToken: "sessions.tokenHint",
  GetFederationToken: "sessions.federationHint",
  AssumeRole: "sessions.roleHint",
} as const;
const WAYS: readonly Way[] = ["GetSessionToken", "GetFederationToken", "AssumeRole"];
const SECONDS_PER_MINUTE = 60;

export function SessionSection() {
  const connection = useConnection();
  const { account } = requireSession();
  const change = useChange();
  const [way, setWay] = useState<Way>("GetSessionToken");
  const [name, setName] = useState("console");
  const [role, setRole] = useState("console");
  const [minutes, setMinutes] = useState("60");
  const [policy, setPolicy] = useState("");
  const [made, setMade] = useState<TemporaryCredentials>();
  const problem = policy.trim() === "" ? undefined : policyProblem(policy);

  const call = (): Promise<TemporaryCredentials> => {
    const seconds = Number(minutes) * SECONDS_PER_MINUTE;
    const within = policy.trim() === "" ? undefined : policy;
    if (way === "GetSessionToken") return getSessionToken(connection, seconds);
    if (way === "GetFederationToken") return getFederationToken(connection, name, within, seconds);
    return assumeRole(connection, `arn:aws:iam::${account}:role/${role}`, name, within, seconds);
  };
  const create = (): void => void change.run(async () => setMade(await call()));

  return (
    <section class="section access-section">
      <h2>{t("sessions.title")}</h2>
      <p class="hint">{t("sessions.lead")}</p>
      <div class="fields">
        <SelectField
          label={t("sessions.way")}
          hint={t(HINTS[way])}
          value={way}
          options={WAYS.map((one) => [one, one])}
          onChange={setWay}
        />
        <TextField label={t("sessions.minutes")} type="number" min={15} value={minutes} onChange={setMinutes} />
        {way === "GetSessionToken" ? null : <TextField label={t("sessions.name")} value={name} onChange={setName} />}
        {way === "AssumeRole" ? <TextField label={t("sessions.role")} value={role} onChange={setRole} /> : null}
      </div>
      {way === "GetSessionToken" ? null : (
        <TextArea label={t("sessions.policy")} value={policy} onChange={setPolicy} rows={8} isCode problem={problem} />
      )}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p class="actions">
        <Button icon="key" isBusy={change.isBusy} isDisabled={problem !== undefined} onClick={create}>
          {t("sessions.create")}
        </Button>
      </p>
      {made === undefined ? null : (
        <CredentialsDialog
          title={t("sessions.title")}
          lead={t("sessions.until", { time: formatTime(made.expiresAt) })}
          credentials={made}
          onClose={() => setMade(undefined)}
        />
      )}
    </section>
  );
}
