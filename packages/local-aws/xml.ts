import { SaxesParser } from "saxes";

/** Text as an element's content or an attribute's value. */
export function escapeXml(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // Parsers read a literal carriage return as a line feed.
      .replaceAll("\r", "&#13;")
      // XML 1.0 has no form for other control characters, and object keys may hold them: as S3 does.
      // Its clients ask for `encoding-type=url` instead.
      .replaceAll(
        /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g,
        (character) => `&#x${character.charCodeAt(0).toString(16)};`,
      )
  );
}

/** An element with this text; nothing for undefined. */
export function element(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? "" : group(name, [escapeXml(String(text))]);
}

/** An element with these children, which are XML already. */
export function group(name: string, children: readonly string[]): string {
  return `<${name}>${children.join("")}</${name}>`;
}

/** An element of a document that was read. Attributes are not kept. */
export interface XmlElement {
  /** Without its namespace's prefix. */
  name: string;
  /** Its own, decoded: references and CDATA. */
  text: string;
  children: XmlElement[];
}

/** What no request of an AWS client comes near. */
const MAX_DEPTH = 32;
const MAX_ELEMENTS = 100_000;

/**
 * Reads a document of XML 1.0 in UTF-8, in time linear to its length. Only the references that XML
 * itself defines are known, numbers included; a DOCTYPE is refused.
 *
 * @returns the document's root
 * @throws Error that says what is wrong, for anything that is not such a document, more than 32 deep,
 *   or of more than 100,000 elements
 */
export function parseXml(document: string | Buffer): XmlElement {
  const text = Buffer.isBuffer(document)
    ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(document)
    : document;
  const parser = new SaxesParser({ position: false });
  const outside: XmlElement = { name: "", text: "", children: [] };
  const open = [outside];
  const current = () => open.at(-1) ?? outside;
  let elements = 0;
  const addText = (piece: string) => {
    current().text += piece;
  };

  parser.on("error", (error) => {
    throw error;
  });
  parser.on("doctype", () => {
    throw new Error("A DOCTYPE is not allowed.");
  });
  parser.on("opentag", ({ name }) => {
    if (open.length > MAX_DEPTH || ++elements > MAX_ELEMENTS) {
      throw new Error("The document has too many elements.");
    }
    const started: XmlElement = { name: localName(name), text: "", children: [] };
    current().children.push(started);
    open.push(started);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.write(text).close();

  const [root] = outside.children;
  if (!root) {
    throw new Error("The document has no element.");
  }
  return root;
}

/** The children of this name, in order. */
export function childrenOf({ children }: XmlElement, name: string): XmlElement[] {
  return children.filter((child) => child.name === name);
}

/** The text of the first child of this name; undefined where there is none. */
export function childText({ children }: XmlElement, name: string): string | undefined {
  return children.find((child) => child.name === name)?.text;
}

/**
 * The text of the first element of this name, wherever it is. Undefined where there is none, or where
 * the document is not XML.
 */
export function textOf(document: string | Buffer, name: string): string | undefined {
  try {
    return find(parseXml(document), name)?.text;
  } catch {
    return undefined;
  }
}

function find(root: XmlElement, name: string): XmlElement | undefined {
  if (root.name === name) {
    return root;
  }
  for (const child of root.children) {
    const found = find(child, name);
    if (found) {
      return found;
    }
  }
  return undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
