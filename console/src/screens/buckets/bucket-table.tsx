// One row for each bucket. Facts that the list lacks are loaded when the row comes into view.
import { useEffect, useRef, useState } from "preact/hooks";
import {
  type BucketUsage,
  getUsage,
  getVersioning,
  isPublic,
  type ListedBucket,
  type Versioning,
} from "../../clients/buckets.ts";
import type { Connection } from "../../clients/connection.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Menu } from "../../components/menu.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatBytes, formatCount, formatDay } from "../../data/formats.ts";
import { hrefOf } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";

/** Rows that are shown at first; an account may have thousands of buckets. */
const ROWS = 200;

export interface BucketTableProps {
  readonly buckets: readonly ListedBucket[];
  /** The whole list that was loaded. */
  readonly list: object;
  readonly onEmpty: (bucket: string) => void;
  readonly onDelete: (bucket: string) => void;
}

export function BucketTable({ buckets, list, onEmpty, onDelete }: BucketTableProps) {
  const columns: readonly Column<ListedBucket>[] = [
    {
      id: "name",
      title: t("buckets.name"),
      isHeader: true,
      cell: ({ name }) => <a href={hrefOf(["buckets", name])}>{name}</a>,
    },
    {
      id: "objects",
      title: t("buckets.objects"),
      isNumber: true,
      cell: ({ name }) => (
        <Fact list={list} bucket={name} show={({ usage }) => usage && bound(usage, formatCount(usage.objects))} />
      ),
    },
    {
      id: "size",
      title: t("buckets.size"),
      isNumber: true,
      cell: ({ name }) => (
        <Fact list={list} bucket={name} show={({ usage }) => usage && bound(usage, formatBytes(usage.bytes))} />
      ),
    },
    {
      id: "versioning",
      title: t("buckets.versioning"),
      cell: ({ name }) => (
        <Fact
          list={list}
          bucket={name}
          show={({ versioning }) => versioning && t(`buckets.versioning.${versioning}`)}
        />
      ),
    },
    {
      id: "access",
      title: t("buckets.access"),
      cell: ({ name }) => <Fact list={list} bucket={name} show={({ isOpen }) => accessBadge(isOpen)} />,
    },
    { id: "region", title: t("buckets.region"), cell: ({ region }) => region },
    { id: "created", title: t("buckets.created"), cell: ({ createdAt }) => formatDay(createdAt) },
    {
      id: "actions",
      title: t("buckets.actions"),
      hidesTitle: true,
      cell: ({ name }) => (
        <Menu
          label={t("buckets.actionsOf", { bucket: name })}
          actions={[
            { label: t("buckets.browse"), href: hrefOf(["buckets", name]) },
            { label: t("buckets.settings"), href: hrefOf(["buckets", name, "settings"]) },
            { label: t("buckets.emptyBucket"), kind: "danger", onChoose: () => onEmpty(name) },
            { label: t("buckets.deleteBucket"), kind: "danger", onChoose: () => onDelete(name) },
          ]}
        />
      ),
    },
  ];
  const [shown, setShown] = useState(ROWS);
  return (
    <>
      <Table label={t("buckets.title")} columns={columns} rows={buckets.slice(0, shown)} rowKey={({ name }) => name} />
      {buckets.length > shown ? (
        <p>
          <Button onClick={() => setShown(shown + ROWS)}>{t("buckets.loadMore")}</Button>
        </p>
      ) : null}
    </>
  );
}

function bound({ isPartial }: BucketUsage, value: string): string {
  return isPartial ? t("buckets.atLeast", { value }) : value;
}

function accessBadge(isOpen: boolean | undefined) {
  if (isOpen === undefined) return undefined;
  return isOpen ? <Badge kind="warning">{t("buckets.public")}</Badge> : <Badge>{t("buckets.private")}</Badge>;
}

/** The facts of a row that the list lacks; undefined without the permission to read them. */
interface BucketFacts {
  readonly usage: BucketUsage | undefined;
  readonly versioning: Versioning | undefined;
  readonly isOpen: boolean | undefined;
}

/** A bucket's facts are loaded once for all cells of its row, and again when the list is reloaded. */
const asked = new WeakMap<object, Map<string, Promise<BucketFacts>>>();

function factsOf(connection: Connection, list: object, bucket: string): Promise<BucketFacts> {
  const known = asked.get(list) ?? new Map<string, Promise<BucketFacts>>();
  asked.set(list, known);
  const found = known.get(bucket) ?? askFacts(connection, bucket);
  known.set(bucket, found);
  return found;
}

async function askFacts(connection: Connection, bucket: string): Promise<BucketFacts> {
  const [usage, versioning, isOpen] = await Promise.all([
    orNothing(getUsage(connection, bucket)),
    orNothing(getVersioning(connection, bucket)),
    // Without a policy, the answer is NoSuchBucketPolicy: the bucket is not public.
    orNothing(isPublic(connection, bucket).catch((failure: unknown) => absentPolicy(failure))),
  ]);
  return { usage, versioning, isOpen };
}

/** Returns undefined for facts that the caller may not read. */
function orNothing<Value>(call: Promise<Value>): Promise<Value | undefined> {
  return call.catch(() => undefined);
}

function absentPolicy(failure: unknown): false {
  if (Reflect.get(Object(failure), "code") === "NoSuchBucketPolicy") return false;
  throw failure;
}

interface FactProps {
  readonly list: object;
  readonly bucket: string;
  /** Undefined is shown as a dash. */
  readonly show: (facts: BucketFacts) => preact.ComponentChildren;
}

function Fact({ list, bucket, show }: FactProps) {
  const connection = useConnection();
  const element = useRef<HTMLSpanElement>(null);
  const [facts, setFacts] = useState<BucketFacts>();
  useEffect(() => {
    let isShown = true;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      void factsOf(connection, list, bucket).then((found) => {
        if (isShown) setFacts(found);
      });
    });
    if (element.current !== null) observer.observe(element.current);
    return () => {
      isShown = false;
      observer.disconnect();
    };
  }, [connection, list, bucket]);
  return <span ref={element}>{facts === undefined ? "…" : (show(facts) ?? "–")}</span>;
}
