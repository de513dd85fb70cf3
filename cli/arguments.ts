/** Parsers of arguments and options. They throw InvalidArgumentError. */
import { InvalidArgumentError } from "commander";

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new InvalidArgumentError("A port is a whole number from 1 to 65535.");
  }
  return port;
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 on.");
  }
  return Number(text);
}

export function parseConcurrency(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) {
    throw new InvalidArgumentError("It is a whole number from 1 to 99.");
  }
  return Number(text);
}

/** An id is a segment of the URL's path: empty, `.` and `..` would address another path. */
function isSegment(text: string): boolean {
  return !/^\.{0,2}$/.test(text);
}

export function parseEventId(text: string): string {
  if (!isSegment(text)) {
    throw new InvalidArgumentError("It is no event's id: list shows them.");
  }
  return text;
}

export function parseLinkId(text: string): string {
  if (!isSegment(text)) {
    throw new InvalidArgumentError("It is no link's id: link list shows them.");
  }
  return text;
}

/** A key is the value of a header. */
export function parseKey(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new InvalidArgumentError("An API key is printable ASCII without spaces, and not empty.");
  }
  return text;
}

/** A media type is the value of a header. */
export function parseMediaType(text: string): string {
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[\t\x20-\x7e]*$/.test(text)) {
    throw new InvalidArgumentError("A media type is written like image/jpeg.");
  }
  return text;
}
