// Copies the public addresses of all objects below the current folder, and their common base address.
import type { PublicAddresses } from "../../clients/public-addresses.ts";
import { Button } from "../../components/button.tsx";
import { copyText } from "../../data/clipboard.ts";
import { copyAddresses } from "../../data/public-addresses.ts";
import { useConnection } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";

export interface BucketAddressesProps {
  readonly bucket: string;
  readonly prefix: string;
  readonly addresses: PublicAddresses;
}

export function BucketAddresses({ bucket, prefix, addresses }: BucketAddressesProps) {
  const connection = useConnection();
  const { base } = addresses;
  return (
    <div class="inline-form">
      <Button
        icon="link"
        onClick={() => void copyAddresses(connection, bucket, addresses, { keys: [], folders: [prefix] })}
      >
        {t("addresses.copyAll")}
      </Button>
      <Button icon="copy" onClick={() => void copyText(base, t("addresses.baseCopied", { address: base }))}>
        {t("addresses.copyBase")}
      </Button>
    </div>
  );
}
