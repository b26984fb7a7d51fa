/** Files in and out. */
import { useRef } from "preact/hooks";

/** A button that asks for a file. */
export function FileButton({ label, accept, take }: { label: string; accept: string; take: (file: File) => unknown }) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => field.current?.click()}>
        {label}
      </button>
      <input
        ref={field}
        type="file"
        accept={accept}
        hidden
        aria-label={label}
        onChange={() => {
          const file = field.current?.files?.[0];
          if (file) take(file);
          // The same file may be chosen again.
          if (field.current) field.current.value = "";
        }}
      />
    </>
  );
}

export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
