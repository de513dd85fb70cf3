import { getDroppedFiles } from "@uppy/core/utils";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface DropAreaProps {
  /** For the browser's dialog; undefined: any type. */
  accept: string | undefined;
  onFiles: (files: File[]) => void;
  children?: ComponentChildren;
}

interface ChooseButtonProps {
  label: string;
  isPrimary?: boolean;
  isFolder?: boolean;
  accept?: string;
  onFiles: (files: File[]) => void;
}

/** A button that opens the browser's dialog for files. */
function ChooseButton({ label, isPrimary, isFolder, accept, onFiles }: ChooseButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class={isPrimary ? "primary" : undefined}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label={label}
        accept={accept}
        {...(isFolder && { webkitdirectory: true })}
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          // The same file may be chosen again.
          currentTarget.value = "";
        }}
      />
    </>
  );
}

const canChooseFolders = "webkitdirectory" in HTMLInputElement.prototype;

const hasFiles = ({ dataTransfer }: DragEvent) => dataTransfer?.types.includes("Files") ?? false;

/** Takes files that are dropped anywhere on the page, or chosen in the browser's dialog. */
export function DropArea({ accept, onFiles, children }: DropAreaProps) {
  const [isOver, setOver] = useState(false);
  const listener = useRef(onFiles);
  listener.current = onFiles;

  useEffect(() => {
    const over = (event: DragEvent) => {
      if (hasFiles(event)) {
        // Without this, the browser would show the file in place of the page.
        event.preventDefault();
        setOver(true);
      }
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) {
        setOver(false);
      }
    };
    const drop = (event: DragEvent) => {
      setOver(false);
      if (hasFiles(event) && event.dataTransfer) {
        event.preventDefault();
        void getDroppedFiles(event.dataTransfer).then((files) => {
          listener.current(files);
        });
      }
    };
    const events = { dragenter: over, dragover: over, dragleave: leave, drop } as const;
    const entries = Object.entries(events) as [keyof typeof events, (event: DragEvent) => void][];
    for (const [name, handle] of entries) {
      addEventListener(name, handle);
    }
    return () => {
      for (const [name, handle] of entries) {
        removeEventListener(name, handle);
      }
    };
  }, []);

  return (
    <div class={isOver ? "drop drop-over" : "drop"}>
      <p>{isOver ? "Let go to upload." : "Drop files or folders here, or"}</p>
      <div class="actions">
        <ChooseButton label="Choose files" isPrimary accept={accept} onFiles={onFiles} />
        {canChooseFolders && <ChooseButton label="Choose a folder" isFolder onFiles={onFiles} />}
      </div>
      {children}
    </div>
  );
}
