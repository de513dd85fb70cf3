/** What the browser keeps of an upload, so that a page that is loaded again goes on with it. */
export interface KeptUpload {
  key: string;
  uploadId: string;
  /** Whether all of it was sent. */
  isSent?: boolean;
  /** Milliseconds since 1970. */
  changedAt: number;
}

/** Uploads by file, in this browser. */
export interface Memory {
  find(file: File): KeptUpload | undefined;
  keep(file: File, upload: Omit<KeptUpload, "changedAt">): void;
  forget(file: File): void;
  /** Names of files of which a part was sent. */
  unfinished(): string[];
}

/** S3 drops unfinished uploads after 30 days; a link lives no longer either. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** A file that is chosen again has the same name, size and time of its last change. */
function fingerprint({ name, size, lastModified }: File): string {
  return JSON.stringify([name, size, lastModified]);
}

type Entries = Record<string, KeptUpload>;

/** Of the entries, those that can still be gone on with. */
function current(entries: Entries): Entries {
  const oldest = Date.now() - KEPT_MS;
  return Object.fromEntries(
    Object.entries(entries).filter(([, { changedAt }]) => changedAt > oldest),
  );
}

/**
 * Opens the memory in localStorage. Where the browser has none, nothing is kept.
 *
 * @param scope such as a link's id: its uploads are apart from others. No secret.
 */
export function openMemory(scope: string): Memory {
  const item = `uploads:${scope}`;

  function read(): Entries {
    try {
      const entries = JSON.parse(localStorage.getItem(item) ?? "{}") as Entries | null;
      return current(entries ?? {});
    } catch {
      // No storage, or another page's text.
      return {};
    }
  }

  function write(entries: Entries): void {
    try {
      if (Object.keys(entries).length > 0) {
        localStorage.setItem(item, JSON.stringify(entries));
      } else {
        localStorage.removeItem(item);
      }
    } catch {
      // No storage, or a full one: a page that is loaded again starts anew.
    }
  }

  return {
    find: (file) => read()[fingerprint(file)],
    keep(file, upload) {
      write({ ...read(), [fingerprint(file)]: { ...upload, changedAt: Date.now() } });
    },
    forget(file) {
      const forgotten = fingerprint(file);
      write(Object.fromEntries(Object.entries(read()).filter(([name]) => name !== forgotten)));
    },
    unfinished: () =>
      Object.entries(read())
        .filter(([, { isSent }]) => !isSent)
        .map(([name]) => String((JSON.parse(name) as unknown[])[0])),
  };
}
