import { type Markup, markupOf } from "./markup";

/** HTML's elements that a document or a part of one begins with. */
const HTML_ELEMENTS =
  /^(html|head|body|title|meta|link|base|style|script|noscript|template|iframe|frameset|frame|h[1-6]|div|span|p|a|b|i|u|s|em|strong|small|font|center|br|hr|img|picture|video|audio|canvas|object|embed|table|thead|tbody|tr|td|th|ul|ol|li|dl|form|input|button|select|textarea|label|fieldset|main|nav|header|footer|section|article|aside|details|dialog|pre|blockquote|figure|marquee|math)$/i;

function markupType({ isXml, doctype, root = "" }: Markup): string | undefined {
  if (root === "svg") {
    return "image/svg+xml";
  }
  if (root.toLowerCase() === "html" || doctype === "html") {
    return isXml ? "application/xhtml+xml" : "text/html";
  }
  if (isXml) {
    return "application/xml";
  }
  return HTML_ELEMENTS.test(root) ? "text/html" : undefined;
}

function isJson(text: string, isWhole: boolean): boolean {
  if (!/^[\s\ufeff]*[[{]/.test(text)) {
    return false;
  }
  if (!isWhole) {
    // A name, a list or a value; the rest is not looked at.
    return /^[\s\ufeff]*(\{\s*"[^"\n]{0,1000}"\s*:|\[\s*([[{"\d-]|true|false|null))/.test(text);
  }
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
    return true;
  } catch {
    return false;
  }
}

/** Netpbm's formats begin with a letter and a digit, also those of bytes. */
export function netpbmType(start: string): string | undefined {
  const [, digit] = /^P([1-7])\s+(?:#|\d|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)/.exec(start) ?? [];
  if (digit === undefined) {
    return undefined;
  }
  const names = ["bitmap", "graymap", "pixmap"];
  return digit === "7"
    ? "image/x-portable-arbitrarymap"
    : `image/x-portable-${names[(Number(digit) - 1) % 3] ?? ""}`;
}

const MARKS: [start: RegExp, type: string][] = [
  [/^%PDF-/, "application/pdf"],
  [/^%!PS-Adobe-[\d.]+ EPSF/, "image/eps"],
  [/^%!PS/, "application/postscript"],
  [/^\{\\rtf/, "application/rtf"],
  [/^BEGIN:VCARD\b/i, "text/vcard"],
  [/^BEGIN:VCALENDAR\b/i, "text/calendar"],
  [/^WEBVTT([ \t\r\n]|$)/, "text/vtt"],
  [/^solid .*\s+facet normal /, "model/stl"],
  [/^-----BEGIN PGP MESSAGE-----/, "application/pgp-encrypted"],
  [/^!<arch>\n/, "application/x-archive"],
  [/^(REGEDIT4|Windows Registry Editor Version 5\.00)\r\n/, "application/x-ms-regedit"],
];

/** The type of a text: `text/plain` where nothing marks it as any other. */
export function textType(text: string, isWhole: boolean): string {
  // Also of a text in UTF-16 or with a mark of its encoding.
  const start = text.slice(0, 1024).replace(/^\ufeff/, "");
  const markup = /^\s*</.test(start) ? markupOf(text) : undefined;
  const type =
    (markup && markupType(markup)) ??
    MARKS.find(([mark]) => mark.test(start))?.[1] ??
    netpbmType(start);
  return type ?? (isJson(text, isWhole) ? "application/json" : "text/plain");
}
