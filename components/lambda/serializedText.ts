/** A function as Pulumi serialized it. */
export interface SerializedFunction {
  code: string;
  /** By the name that the code uses: the name of a function or value, or a literal. */
  captures: Map<string, string>;
}

/** A text of Pulumi's serializer, taken apart. */
export interface SerializedText {
  functions: Map<string, SerializedFunction>;
  /** By name, the statements that make the value, each a line. Of functions, too: their properties. */
  values: Map<string, string[]>;
  /** By the name in functions' codes. */
  packages: Map<string, string>;
}

/** What Pulumi writes around a function's own code, to give it what it captures. */
const FUNCTION =
  /\nfunction (\w+)\([^)]*\) \{\n {2}return \(function\(\) \{\n {4}with\(\{ ([^\n]*) \}\) \{\n\nreturn ([\s\S]*?);\n\n {4}\}\n {2}\}\)\.apply\(undefined, undefined\)\.apply\(this, arguments\);\n\}\n/g;

const PACKAGE = /^const (\S+) = require\("([^"]+)"\);\n/gm;

/** The name that a statement is about. */
const SUBJECT = /^(?:var |Object\.(?:defineProperty|setPrototypeOf)\()?(\w+)/;

const PROPERTY = /([^\s:",]+): ((?:"(?:[^"\\]|\\.)*"|[^",])*)(?:, |$)/gy;

/** A name that an expression or statement refers to, and no property's; or a string. */
const REFERENCE = /"(?:[^"\\]|\\.)*"|(?<![.\w$])[A-Za-z_$][\w$]*(?![\w$]|: )/g;

/** By name, the values between the braces of an object literal; undefined where one is no simple value. */
export function propertiesIn(literal: string): Map<string, string> | undefined {
  const properties = new Map<string, string>();
  let end = 0;
  for (const match of literal.matchAll(PROPERTY)) {
    const [all, name = "", value = ""] = match;
    properties.set(name, value);
    end = match.index + all.length;
  }
  return end < literal.length ? undefined : properties;
}

function capturesOf(text: string): Map<string, string> {
  const captures = propertiesIn(text);
  if (!captures) {
    throw new Error(`Pulumi's serializer has written captures of another form: ${text}`);
  }
  captures.delete("this");
  captures.delete("arguments");
  return captures;
}

/** The names that an expression or statement of Pulumi's refers to. */
export function namesIn(text: string): string[] {
  return text.match(REFERENCE) ?? [];
}

/** An expression or statement of Pulumi's, with other names. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(REFERENCE, (name) => names.get(name) ?? name);
}

/**
 * Takes apart what `pulumi.runtime.serializeFunction` has written, apart from its last line, the export.
 *
 * @throws when the text has another form than that of the version of Pulumi that this was written for
 */
export function parseSerialized(text: string): SerializedText {
  const functions = new Map<string, SerializedFunction>();
  const packages = new Map<string, string>();
  const rest = text
    .replace(FUNCTION, (_all, name: string, captures: string, code: string) => {
      functions.set(name, { code, captures: capturesOf(captures) });
      return "";
    })
    .replace(PACKAGE, (_all, name: string, specifier: string) => {
      packages.set(name, specifier);
      return "";
    });
  const values = new Map<string, string[]>();
  for (const line of rest.split("\n").filter((line) => line !== "")) {
    const subject = SUBJECT.exec(line)?.[1];
    if (subject === undefined || !line.endsWith(";")) {
      throw new Error(`Pulumi's serializer has written a line of another form: ${line}`);
    }
    values.set(subject, [...(values.get(subject) ?? []), line]);
  }
  return { functions, values, packages };
}
