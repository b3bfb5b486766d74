// Opens a bucket: shows its first section.
import { useEffect } from "preact/hooks";
import { BUCKET_SECTIONS } from "../../components/bucket-page.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { navigate } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";

export function BucketStart(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  useEffect(() => {
    const [first] = BUCKET_SECTIONS;
    if (first !== undefined) navigate(["buckets", bucket, first.step], {}, { replace: true });
  }, [bucket]);
  return <Skeleton lines={6} />;
}
