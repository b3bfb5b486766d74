// A progress bar.
export function Progress({ label, share }: { readonly label: string; readonly share?: number | undefined }) {
  return <progress class="progress" aria-label={label} max={1} {...(share === undefined ? {} : { value: share })} />;
}
