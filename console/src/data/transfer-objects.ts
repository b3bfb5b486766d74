// Moves and copies objects and folders in the background. Existing objects at the target are replaced only if the user
// confirms it afterwards. Undo reverses the transfers.
import { plural, t } from "../i18n/language.ts";
import type { Connection } from "../clients/connection.ts";
import { NetworkFailure, ServiceError } from "../clients/failures.ts";
import { keysBelow, type ListedObject } from "../clients/objects.ts";
import { deleteCopy, type Transfer, transferObject } from "../clients/transfers.ts";
import { type JobControl, runJob } from "./background-jobs.ts";
import { explain, explainInOneLine } from "./explain.ts";
import { showFailure } from "./failure-toast.ts";
import type { ObjectRow } from "./object-list.ts";
import { showToast } from "./toasts.ts";

export interface TransferPlan {
  readonly kind: "move" | "copy";
  readonly bucket: string;
  /** The folder that shows the rows; names below it are kept. */
  readonly prefix: string;
  readonly rows: readonly ObjectRow[];
  readonly targetBucket: string;
  readonly targetPrefix: string;
  /** Replaces existing objects at the target without asking, in a versioned bucket. */
  readonly replaces?: boolean | undefined;
}

/** Only the first attempt can be undone: a replaced object cannot be restored. */
type Mode = "first" | "replace" | "undo";

const PARALLEL = 6;
/** The most transfers that an undo remembers. */
const UNDO_MAX = 10_000;

/** Moves or copies rows. `onChange` is called after each change. Never rejects. */
export async function transferRows(connection: Connection, plan: TransferPlan, onChange: () => void): Promise<void> {
  await runTransfers(connection, plan, (signal) => listTransfers(connection, plan, signal), "first", onChange);
}

/** The planned transfers, read before anything is written: a folder may be moved into itself. */
async function listTransfers(
  connection: Connection,
  { kind, bucket, prefix, rows, targetBucket, targetPrefix }: TransferPlan,
  signal: AbortSignal,
): Promise<Transfer[]> {
  const found = new Map<string, Transfer>();
  const add = ({ key, etag, storageClass }: ListedObject): void => {
    const target = { bucket: targetBucket, key: `${targetPrefix}${key.slice(prefix.length)}` };
    found.set(key, { kind, source: { bucket, key }, etag, storageClass, target });
  };
  for (const row of rows) {
    if (row.type === "object") add(row.object);
    else
      for await (const page of keysBelow(connection, bucket, row.key, signal)) for (const object of page) add(object);
  }
  return [...found.values()];
}

interface Outcome {
  readonly done: Transfer[];
  /** Transfers whose target exists. */
  readonly conflicts: Transfer[];
  /** The transfers that failed, and the first failure. */
  readonly left: Transfer[];
  reason: unknown;
}

async function runTransfers(
  connection: Connection,
  { kind, bucket, replaces }: Pick<TransferPlan, "kind" | "bucket" | "replaces">,
  list: (signal: AbortSignal) => Promise<readonly Transfer[]>,
  mode: Mode,
  onChange: () => void,
): Promise<void> {
  const outcome: Outcome = { done: [], conflicts: [], left: [], reason: undefined };
  try {
    await runJob({
      kind: `${kind}-objects`,
      isResumable: false,
      // Several may run at a time.
      target: `${bucket} ${crypto.randomUUID()}`,
      title: () => t(kind === "move" ? "transfer.moving" : "transfer.copying", { bucket }),
      run: async (control) =>
        transferAll(connection, await list(control.signal), replaces === true || mode === "replace", outcome, control),
    });
  } catch (failure) {
    showFailure(failure);
  }
  report(connection, { kind, bucket, replaces }, { ...outcome, mode }, onChange);
  onChange();
}

async function transferAll(
  connection: Connection,
  transfers: readonly Transfer[],
  replaces: boolean,
  outcome: Outcome,
  { signal, report: show }: JobControl,
): Promise<void> {
  const waiting = transfers.values();
  let ended = 0;
  let isHopeless = false;
  const work = async (): Promise<void> => {
    for (const transfer of waiting) {
      if (signal.aborted) return;
      if (isHopeless) {
        outcome.left.push(transfer);
        continue;
      }
      try {
        outcome.done.push(await transferObject(connection, transfer, { replaces }));
      } catch (failure) {
        if (isConflict(failure) && !replaces) outcome.conflicts.push(transfer);
        else {
          outcome.left.push(transfer);
          outcome.reason ??= failure;
          isHopeless ||= failure instanceof NetworkFailure || explain(failure).wayOn === "sign-in";
        }
      }
      ended += 1;
      show(() => t("transfer.progress", { done: ended, all: transfers.length }), ended / transfers.length);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** `If-None-Match: *` did not hold. A condition on the source has another header, but the same code. */
function isConflict(failure: unknown): boolean {
  return (
    failure instanceof ServiceError &&
    failure.code === "PreconditionFailed" &&
    !/if-match/i.test(failure.details.get("Condition") ?? "")
  );
}

function report(
  connection: Connection,
  plan: Pick<TransferPlan, "kind" | "bucket" | "replaces">,
  { done, conflicts, left, reason, mode }: Outcome & { readonly mode: Mode },
  onChange: () => void,
): void {
  if (left.length > 0) {
    showFailure(reason, {
      text: plural("transfer.failed", left.length, { reason: explainInOneLine(reason) }),
      onRetry: () => void runTransfers(connection, plan, () => Promise.resolve(left), mode, onChange),
    });
  }
  if (conflicts.length > 0) {
    const run = (): void => void runTransfers(connection, plan, () => Promise.resolve(conflicts), "replace", onChange);
    showToast(plural("transfer.conflicts", conflicts.length, { name: conflicts[0]?.target.key ?? "" }), {
      kind: "failure",
      action: { label: t("transfer.replace"), run },
    });
  }
  if (done.length === 0) return;
  const undo = { label: t("action.undo"), run: () => void undoTransfers(connection, plan, done, onChange) };
  const hasUndo = mode === "first" && done.length <= UNDO_MAX;
  const text = mode === "undo" ? "transfer.movedBack" : plan.kind === "move" ? "transfer.moved" : "transfer.copied";
  showToast(plural(text, done.length), hasUndo ? { action: undo } : {});
}

/** Moves everything back, or deletes the copies. */
async function undoTransfers(
  connection: Connection,
  { kind, bucket }: Pick<TransferPlan, "kind" | "bucket">,
  done: readonly Transfer[],
  onChange: () => void,
): Promise<void> {
  if (kind === "move") {
    const back = done.map((one) => ({ ...one, kind, source: one.target, target: one.source }) as const);
    return runTransfers(connection, { kind, bucket }, () => Promise.resolve(back), "undo", onChange);
  }
  try {
    for (const transfer of done) await deleteCopy(connection, transfer);
    showToast(plural("transfer.removed", done.length));
  } catch (failure) {
    showFailure(failure);
  }
  onChange();
}
