// The page of an upload link, outside of the shell. Only guests load it.
import { ErrorPanel } from "../components/error-panel.tsx";
import { Skeleton } from "../components/placeholders.tsx";
import { useLoad } from "../data/use-load.ts";

export function DropPage() {
  const loaded = useLoad(() => import("../screens/drop/drop-screen.tsx"), []);
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={() => location.reload()} />;
  return loaded.value === undefined ? <Skeleton lines={6} /> : <loaded.value.DropScreen />;
}
