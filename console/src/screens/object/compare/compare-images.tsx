// Shows two versions of an image side by side.
import { type ObjectAddress, presignRead } from "../../../clients/object.ts";
import { ErrorPanel } from "../../../components/error-panel.tsx";
import { Skeleton } from "../../../components/placeholders.tsx";
import { useConnection } from "../../../data/session.ts";
import { useLoad } from "../../../data/use-load.ts";
import { shownAs } from "../preview/preview-kind.ts";

const LINK_SECONDS = 3600;

export interface CompareImagesProps {
  /** The older one first; each with its version id. */
  readonly versions: readonly [ObjectAddress, ObjectAddress];
  readonly types: readonly [string | undefined, string | undefined];
  readonly titles: readonly [string, string];
}

export function CompareImages({ versions, types, titles }: CompareImagesProps) {
  return (
    <div class="object-pair">
      {versions.map((address, index) => (
        <figure key={address.versionId}>
          <VersionImage address={address} contentType={types[index]} title={titles[index] ?? ""} />
          <figcaption class="hint">{titles[index]}</figcaption>
        </figure>
      ))}
    </div>
  );
}

interface VersionImageProps {
  readonly address: ObjectAddress;
  readonly contentType: string | undefined;
  readonly title: string;
}

function VersionImage({ address, contentType, title }: VersionImageProps) {
  const connection = useConnection();
  // Only image types reach the browser, never the stored type.
  const overrides = { "response-content-type": shownAs(address.key, contentType).type };
  const link = useLoad(() => presignRead(connection, address, LINK_SECONDS, overrides), [address.versionId]);
  if (link.failure !== undefined) return <ErrorPanel failure={link.failure} onRetry={link.reload} />;
  if (link.value === undefined) return <Skeleton lines={6} />;
  return <img class="object-media" src={link.value} alt={title} />;
}
