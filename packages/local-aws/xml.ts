/** Text as an element's content or an attribute's value. */
export function escapeXml(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // XML 1.0 has no form for control characters, and object keys may hold them: as S3 does. Parsers
      // read a literal carriage return as a line feed.
      .replaceAll(
        /[\u0000-\u0008\u000b-\u001f]/g,
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

const ENTITIES: Partial<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};

/** The text that an element's content stands for. Unknown entities stay as they are. */
export function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (typeof hex === "string") {
      return String.fromCodePoint(Number.parseInt(hex, 16));
    }
    if (typeof decimal === "string") {
      return String.fromCodePoint(Number(decimal));
    }
    return ENTITIES[String(name)] ?? whole;
  });
}

/** The content of every element of this name, in order, still escaped. Attributes are not read. */
export function elementsOf(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}>(.*?)</${name}>`, "gs");
  return [...xml.matchAll(pattern)].map(([, content = ""]) => content);
}

/** The text of the first element of this name; undefined where there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const content = new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(xml)?.[1];
  return content === undefined ? undefined : unescapeXml(content);
}
