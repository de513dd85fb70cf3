import type { NewLink } from "../api/answers";

const MEGABYTE = 1_000_000;

function textOf(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

function numberOf(form: FormData, name: string): number | undefined {
  const text = textOf(form, name);
  return text === undefined ? undefined : Number(text);
}

/** @param text lines of `name: value` */
function metadataOf(text: string | undefined): Record<string, string> | undefined {
  const lines = text?.split("\n").filter((line) => line.trim() !== "");
  return (
    lines &&
    Object.fromEntries(
      lines.map((line) => {
        const [, name = "", value = ""] = /^([^:=]*)[:=]?(.*)$/.exec(line.trim()) ?? [];
        return [name.trim(), value.trim()];
      }),
    )
  );
}

/** What the form asks the API for; the API checks it. */
export function newLinkOf(form: FormData): NewLink {
  const megabytes = numberOf(form, "megabytes");
  return {
    expires_in: Number(textOf(form, "expires_in")),
    note: textOf(form, "note"),
    max_files: numberOf(form, "max_files"),
    max_bytes: megabytes === undefined ? undefined : Math.round(megabytes * MEGABYTE),
    content_types: textOf(form, "content_types")
      ?.split(/[\s,]+/)
      .filter((type) => type !== ""),
    metadata: metadataOf(textOf(form, "metadata")),
  };
}
