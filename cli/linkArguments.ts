/** Parsers of the options of links and of metadata. They throw InvalidArgumentError. */
import { InvalidArgumentError } from "commander";
import { checkMetadata, type Metadata } from "../events/metadata";

const SECONDS: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Parses `7d`, `12h`, `1d12h`, or a number of seconds. */
export function parseDuration(text: string): number {
  const lower = text.toLowerCase();
  const parts = /^\d{1,9}$/.test(lower) ? [`${lower}s`] : (lower.match(/\d{1,9}[dhms]/g) ?? []);
  const seconds = parts.map((part) => parseInt(part, 10) * (SECONDS[part.slice(-1)] ?? NaN));
  if (!/^(\d{1,9}|(\d{1,9}[dhms])+)$/.test(lower)) {
    throw new InvalidArgumentError("A time is written like 7d, 12h or 1d12h, or in seconds.");
  }
  return seconds.reduce((sum, each) => sum + each, 0);
}

const UNITS = ["", "k", "m", "g", "t"];

/** Parses `5GB` (thousands), `200MiB` (1024s), or a number of bytes. */
export function parseBytes(text: string): number {
  const [, number = "", prefix = "", binary] =
    /^(\d+(?:\.\d+)?) ?(?:([kmgt]?)(i?)b)?$/i.exec(text) ?? [];
  const base = binary === "" || binary === undefined ? 1000 : 1024;
  const bytes = Math.floor(Number(number) * base ** UNITS.indexOf(prefix.toLowerCase()));
  if (number === "" || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new InvalidArgumentError("A size is written like 5GB, 1.5TB or 200MiB, or in bytes.");
  }
  return bytes;
}

/** Parses a list, separated by commas. */
export function parseTypes(text: string, before: string[] = []): string[] {
  const types = text.split(",").map((type) => type.trim());
  if (types.includes("")) {
    throw new InvalidArgumentError("Types are separated by commas: image/jpeg,image/png");
  }
  return [...before, ...types];
}

/** Parses one entry, `name=value`, and checks it together with those before. */
export function parseMetadata(text: string, before: Metadata = {}): Metadata {
  const [, name, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("An entry is written like customer=4711.");
  }
  if (Object.hasOwn(before, name)) {
    throw new InvalidArgumentError(`"${name}" is given twice.`);
  }
  const { metadata, refusal } = checkMetadata({ ...before, [name]: value });
  if (refusal !== undefined) {
    throw new InvalidArgumentError(refusal);
  }
  return metadata;
}

/** What an upload in parts says of the file itself, in the same object as the metadata. */
const FIELDS_OF_FILES = ["name", "type", "size", "last_modified", "crc64nvme"];

/** As {@link parseMetadata}, for files. */
export function parseFileMetadata(text: string, before?: Metadata): Metadata {
  const [name = ""] = text.split("=");
  if (FIELDS_OF_FILES.includes(name)) {
    throw new InvalidArgumentError(`"${name}" is what the file itself has: choose another name.`);
  }
  return parseMetadata(text, before);
}
