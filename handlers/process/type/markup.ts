/** The first element of a text with tags. */
export interface Markup {
  /** The text begins with an XML declaration. */
  isXml: boolean;
  /** The name in the document type declaration, in lower case. */
  doctype?: string;
  /** The root element's name without its prefix, as written. */
  root?: string;
  /** The root element's attributes; none where its tag is not whole. */
  attributes: Record<string, string>;
}

/** Longer values are of no use here. */
const MAX_VALUE = 256;

function endOfDoctype(text: string, start: number): number {
  const open = text.indexOf("[", start);
  const close = text.indexOf(">", start);
  if (open === -1 || close === -1 || close < open) {
    return close === -1 ? text.length : close + 1;
  }
  // An internal subset, whose declarations have ends of their own.
  const end = /\]\s*>/g;
  end.lastIndex = open;
  return end.exec(text) === null ? text.length : end.lastIndex;
}

function attributesAt(text: string, start: number): Record<string, string> {
  const attributes: Record<string, string> = {};
  const attribute = /\s+([^\s=<>"'/]{1,100})\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
  attribute.lastIndex = start;
  for (let match = attribute.exec(text); match !== null; match = attribute.exec(text)) {
    const [, name = "", double, single] = match;
    const value = double ?? single ?? "";
    if (value.length <= MAX_VALUE && !Object.hasOwn(attributes, name)) {
      attributes[name] = value;
    }
  }
  return attributes;
}

/** What a text with tags begins with; undefined for any other text. Takes linear time. */
export function markupOf(text: string): Markup | undefined {
  const markup: Markup = { isXml: false, attributes: {} };
  const space = /[\s\ufeff]*/y;
  const startTag = /<([A-Za-z_][\w.-]{0,100}:)?([A-Za-z_][\w.-]{0,100})(?=[\s/>]|$)/y;
  let at = 0;
  for (;;) {
    space.lastIndex = at;
    space.exec(text);
    at = space.lastIndex;
    if (text.startsWith("<?", at)) {
      markup.isXml ||= text.startsWith("<?xml", at);
      const end = text.indexOf("?>", at);
      at = end === -1 ? text.length : end + 2;
    } else if (text.startsWith("<!--", at)) {
      const end = text.indexOf("-->", at + 4);
      at = end === -1 ? text.length : end + 3;
    } else if (/^<!doctype\s/i.test(text.slice(at, at + 10))) {
      markup.doctype = /^[^\s>[]*/
        .exec(text.slice(at + 10, at + 100).trimStart())?.[0]
        .toLowerCase();
      at = endOfDoctype(text, at);
    } else {
      break;
    }
  }
  startTag.lastIndex = at;
  const tag = startTag.exec(text);
  if (tag) {
    markup.root = tag[2];
    markup.attributes = attributesAt(text, startTag.lastIndex);
  }
  return tag || markup.isXml || markup.doctype !== undefined ? markup : undefined;
}
