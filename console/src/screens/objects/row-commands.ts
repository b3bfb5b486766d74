// What both lists of objects, a folder and the results of a search, do with rows: download, copy public addresses, and ask
// before changes. Menus of rows, the bar of a selection and shortcuts have the same commands.
import { useState } from "preact/hooks";
import type { PublicAddresses } from "../../clients/public-addresses.ts";
import type { MenuAction } from "../../components/menu.tsx";
import { downloadRows } from "../../data/download.ts";
import type { ObjectRow } from "../../data/object-list.ts";
import { copyAddressesOf, haveAddresses } from "../../data/public-addresses.ts";
import { useConnection } from "../../data/session.ts";
import { menuOf, type Question } from "./row-actions.ts";
import { type ShortcutTargets, useShortcuts } from "./shortcuts.ts";

/** What a list knows of its rows and of what is around them. */
type ListTargets = Omit<ShortcutTargets, "isDisabled" | "onDownload" | "onAsk" | "onCopyAddresses" | "onHelp">;

export interface RowCommandsOptions extends ListTargets {
  readonly addresses: PublicAddresses | undefined;
  readonly hrefFor: (row: ObjectRow) => string;
  /** While a dialog of the list itself is open. */
  readonly isDisabled?: boolean;
}

export interface RowCommands {
  /** The open dialog about rows. */
  readonly question: Question | undefined;
  readonly closeQuestion: () => void;
  /** Whether the list of shortcuts is open. */
  readonly hasHelp: boolean;
  readonly closeHelp: () => void;
  readonly menuFor: (row: ObjectRow) => MenuAction[];
  /** The properties of the bar of the selection. */
  readonly selection: {
    readonly onDownload: () => void;
    readonly onAsk: (ask: Question["ask"]) => void;
    readonly onCopyAddresses: (() => void) | undefined;
  };
}

export function useRowCommands({ hrefFor, isDisabled = false, ...targets }: RowCommandsOptions): RowCommands {
  const connection = useConnection();
  const [question, setQuestion] = useState<Question>();
  const [hasHelp, setHelp] = useState(false);
  const { bucket, chosen, addresses } = targets;
  const download = (rows: readonly ObjectRow[]): void => void downloadRows(connection, bucket, rows);
  const copyPublic = (rows: readonly ObjectRow[]): void => {
    if (addresses !== undefined) copyAddressesOf(connection, bucket, addresses, rows);
  };
  useShortcuts({
    ...targets,
    isDisabled: isDisabled || hasHelp || question !== undefined,
    onDownload: download,
    onAsk: setQuestion,
    onCopyAddresses: copyPublic,
    onHelp: () => setHelp(true),
  });
  return {
    question,
    closeQuestion: () => setQuestion(undefined),
    hasHelp,
    closeHelp: () => setHelp(false),
    menuFor: (row) => menuOf(row, { bucket, hrefFor, onDownload: (one) => download([one]), onAsk: setQuestion }),
    selection: {
      onDownload: () => download(chosen),
      onAsk: (ask) => setQuestion({ ask, rows: chosen }),
      onCopyAddresses: haveAddresses(addresses, chosen) ? () => copyPublic(chosen) : undefined,
    },
  };
}
