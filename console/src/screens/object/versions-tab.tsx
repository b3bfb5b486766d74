// The versions of a key as a timeline, newest first, each with its expiration, the rule behind it, and its actions.
import { useState } from "preact/hooks";
import type { ObjectAddress } from "../../clients/object.ts";
import { expirationsOf, type KeyVersions, listVersionsOfKey, locksOf } from "../../clients/object-versions.ts";
import { getVersioning } from "../../clients/buckets.ts";
import type { ListedVersion } from "../../clients/versions.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { hrefOf } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";
import { CompareDialog } from "./compare/compare-dialog.tsx";
import type { PlainTabProps } from "./tabs.ts";
import { VersionEntry } from "./version-entry.tsx";

export function VersionsTab({ address, facts, onChanged }: PlainTabProps) {
  const { bucket, key } = address;
  const connection = useConnection();
  const change = useChange();
  const loaded = useLoad((signal) => listVersionsOfKey(connection, { bucket, key }, undefined, signal), [bucket, key]);
  const versioning = useLoad(() => getVersioning(connection, bucket), [bucket]);
  const { value: page } = loaded;
  const reload = (): void => {
    loaded.reload();
    onChanged();
  };
  const loadMore = ({ versions, next }: KeyVersions): void =>
    void change.run(async () => {
      const more = await listVersionsOfKey(connection, { bucket, key }, next);
      loaded.replace({ versions: [...versions, ...more.versions], next: more.next });
    });
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />;
  if (page === undefined) return <Skeleton lines={8} />;
  return (
    <section class="section">
      <h2>{plural("versions.count", page.versions.length)}</h2>
      {versioning.value === "off" ? (
        <p class="notice">
          {t("versions.off")} <a href={hrefOf(["buckets", bucket, "settings"])}>{t("versions.turnOn")}</a>
        </p>
      ) : null}
      {page.versions.length === 0 ? (
        <EmptyState title={t("versions.none.title")}>
          <p>{t("versions.none.text")}</p>
        </EmptyState>
      ) : (
        <Timeline
          address={{ bucket, key }}
          page={page}
          expiration={facts !== undefined && address.versionId === undefined ? facts.expiration : undefined}
          onChanged={reload}
        />
      )}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      {page.next === undefined ? null : (
        <p>
          <Button isBusy={change.isBusy} onClick={() => loadMore(page)}>
            {t("buckets.loadMore")}
          </Button>
        </p>
      )}
    </section>
  );
}

interface TimelineProps {
  readonly address: ObjectAddress;
  readonly page: KeyVersions;
  /** Of the current version. */
  readonly expiration: { readonly at: number; readonly ruleId: string } | undefined;
  readonly onChanged: () => void;
}

function Timeline({ address, page: { versions }, expiration, onChanged }: TimelineProps) {
  const connection = useConnection();
  const ids = versions.map(({ versionId }) => versionId).join(" ");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [isComparing, setComparing] = useState(false);
  // Both are optional: without the permission to read rules or locks, the versions still show.
  const expirations = useLoad(() => expirationsOf(connection, address, versions), [address.bucket, address.key, ids]);
  const locks = useLoad(() => locksOf(connection, address, versions), [address.bucket, address.key, ids]);
  const toggle = (id: string): void =>
    setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id].slice(-2));
  const compared = versions.filter(({ versionId }) => chosen.includes(versionId));
  const [newer, older] = compared;
  return (
    <>
      {expirations.failure === undefined ? null : <p class="hint">{t("versions.noRules")}</p>}
      <p class="actions">
        <Button isDisabled={compared.length !== 2} onClick={() => setComparing(true)}>
          {t("versions.compare")}
        </Button>
        <span class="hint">{t("versions.compareHint")}</span>
      </p>
      <ol class="object-timeline">
        {versions.map((version: ListedVersion) => {
          const { versionId, isLatest, isDeleteMarker } = version;
          const isExpiring = isLatest && !isDeleteMarker;
          return (
            <VersionEntry
              key={versionId}
              address={{ ...address, versionId }}
              version={version}
              expiration={isExpiring ? expiration : expirations.value?.get(versionId)}
              hasRules={expirations.value !== undefined}
              lock={locks.value?.get(versionId)}
              isChosen={chosen.includes(versionId)}
              onChoose={() => toggle(versionId)}
              onChanged={onChanged}
            />
          );
        })}
      </ol>
      {isComparing && newer !== undefined && older !== undefined ? (
        <CompareDialog address={address} older={older} newer={newer} onClose={() => setComparing(false)} />
      ) : null}
    </>
  );
}
