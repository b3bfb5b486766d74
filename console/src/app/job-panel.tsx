// The panel of background jobs: those that run, and those that an earlier visit left unfinished.
import { Button } from "../components/button.tsx";
import { Progress } from "../components/progress.tsx";
import { dropUnfinished, jobs, unfinishedJobs } from "../data/background-jobs.ts";
import { EMPTY_BUCKET, emptyBucket } from "../data/empty-bucket.ts";
import { requireSession } from "../data/session.ts";
import { t } from "../i18n/language.ts";

export function JobPanel() {
  const offers = unfinishedJobs.value.filter(({ kind }) => kind === EMPTY_BUCKET);
  if (jobs.value.length === 0 && offers.length === 0) return null;
  return (
    <aside class="job-panel" aria-label={t("jobs.label")}>
      {jobs.value.map(({ id, title, progress, share, stop }) => (
        <div key={id} class="job">
          <p>{title()}</p>
          <Progress label={title()} share={share} />
          <p class="hint">{progress()}</p>
          <Button onClick={stop}>{t("action.stop")}</Button>
        </div>
      ))}
      {offers.map((job) => (
        <div key={job.target} class="job">
          <p>{t("bucketEmpty.resume", { bucket: job.target })}</p>
          <Button
            kind="danger"
            onClick={() => void emptyBucket(requireSession().connection, job.target, () => undefined)}
          >
            {t("action.resume")}
          </Button>
          <Button onClick={() => dropUnfinished(job)}>{t("action.dismiss")}</Button>
        </div>
      ))}
    </aside>
  );
}
