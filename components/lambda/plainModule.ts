import { analyzed, type AnalyzedText, THIS } from "./analyzedText";
import type { CapturedFunction, SerializedCallback } from "./bundleCache";
import type { FreeName } from "./freeNames";
import { namesIn, renamed, type SerializedFunction, type SerializedText } from "./serializedText";

/** `@scope/name` or `name`, at the start of a specifier. */
const PACKAGE_NAME = /^(?:@[^/]+\/)?[^/]+/;

/** The start of a function that can be declared. */
const FUNCTION_HEAD = /^(?:async )?function ?\*? ?/;

/** The name that Pulumi makes a comment of. */
const OWN_NAME = /^(?:async )?(?:function ?\*? ?)?\/\*(\w+)\*\//;

/** A captured text, number or the like. */
const SCALAR = /^(?:".*"|-?\d.*|true|false|null|undefined)$/s;

/**
 * How Pulumi writes an object that is more than its properties, such as a Map, a Date or a
 * Uint8Array: as an empty object, or as only the method that is used, and without a warning.
 */
const LOSSY_CAPTURES = [
  /^var _*(\w+) = Object\.create\(global\.(\w+)\.prototype\);$/,
  /^Object\.defineProperty\(_*(\w+), .*\bvalue: global\.(?!(?:Array|Function|Object|RegExp)\b)(\w+)\.prototype\./,
];

function refuseLossyCapture(statement: string): void {
  for (const capture of LOSSY_CAPTURES) {
    const [, variable, type] = capture.exec(statement) ?? [];
    if (variable !== undefined && type !== undefined) {
      throw new Error(`it captures "${variable}": a ${type} cannot be serialized.`);
    }
  }
}

/**
 * The module to import for a specifier in the serialized text. Pulumi names the file that the
 * program loaded, which for the AWS SDK is its CommonJS build: one file that cannot be tree-shaken.
 * By the package's name, esbuild chooses the ES build instead.
 */
function moduleOf(specifier: string): string {
  return specifier.includes("/dist-cjs/")
    ? (PACKAGE_NAME.exec(specifier)?.[0] ?? specifier)
    : specifier;
}

/** A part of a function's text that is replaced. */
interface Edit {
  start: number;
  end: number;
  by: string;
}

/** A text that grows, with the places of functions in it. */
class ModuleText {
  text = "";
  readonly functions: CapturedFunction[] = [];

  addLines(lines: Iterable<string>): void {
    for (const line of lines) {
      this.text += `${line}\n`;
    }
  }

  addFunction(name: string, code: string, edits: Edit[]): void {
    const start = this.text.length;
    const pieces: CapturedFunction["pieces"] = [];
    const [head] = FUNCTION_HEAD.exec(code) ?? [];
    this.text += head === undefined ? `const ${name} = ` : `${head} ${name}`;
    let copied = head?.length ?? 0;
    const copyTo = (end: number) => {
      pieces.push({ at: this.text.length, from: copied });
      this.text += code.slice(copied, end);
    };
    for (const edit of edits) {
      copyTo(edit.start);
      pieces.push({ at: this.text.length, from: edit.start });
      this.text += edit.by;
      copied = edit.end;
    }
    copyTo(code.length);
    this.functions.push({ code, start, end: this.text.length, pieces });
    this.text += head === undefined ? ";\n" : "\n";
  }
}

/** A package's property, or the whole of it. */
interface Imported {
  name: string;
  specifier: string;
  property?: string;
}

interface Constant {
  name: string;
  /** Text of an expression. */
  value: string;
}

function importLine({ name, specifier, property }: Imported): string {
  return property === undefined
    ? `const ${name} = require(${JSON.stringify(specifier)});`
    : `import { ${property} as ${name} } from ${JSON.stringify(moduleOf(specifier))};`;
}

/** One module while it is made. */
class PlainModule {
  /** By specifier and property. */
  private readonly imports = new Map<string, Imported>();
  /** By captured name and value, the name that the value has. */
  private readonly constants = new Map<string, Constant>();
  /** Of each function. */
  private readonly edits = new Map<string, Edit[]>();
  private readonly values = new Set<string>();
  /** By Pulumi's name of a function or value, the one that it has here. */
  private readonly names = new Map<string, string>();
  private readonly taken = new Set<string>();
  /** Whether it may have something only because another module is made of the same text. */
  private isMixed = false;

  /** @param whole records that the module has as objects; those that it finds to be used so are added */
  constructor(
    private readonly serialized: AnalyzedText,
    private readonly factory: string,
    private readonly whole: Set<string>,
  ) {
    this.add(factory);
  }

  /** Adds a function or value by its name, and what it needs: what that needs comes first. */
  private add(name: string): void {
    const { functions, values, free, records } = this.serialized;
    const fn = functions.get(name);
    if (fn && !this.edits.has(name)) {
      const edits: Edit[] = [];
      this.edits.set(name, edits);
      this.names.set(name, this.newName(OWN_NAME.exec(fn.code)?.[1] ?? "function"));
      for (const freeName of free.get(name) ?? []) {
        edits.push(...this.editOf(fn, freeName));
      }
    }
    const statements = values.get(name);
    if (statements && !this.values.has(name)) {
      if (records.has(name)) {
        this.whole.add(name);
      }
      this.values.add(name);
      if (!fn) {
        this.names.set(name, this.newName("value"));
      }
      this.isMixed ||= this.serialized.partlyUsed.has(name);
      this.addAll(statements);
    }
  }

  private addAll(texts: string[]): void {
    for (const name of texts.flatMap(namesIn)) {
      this.add(name);
    }
  }

  /** What a read of `object.property` gives, if it need not be read at each call. */
  private propertyRead(object: string, { property }: FreeName): string | undefined {
    const { functions, records } = this.serialized;
    const value = property && records.get(object)?.get(property.name);
    if (value === undefined || this.whole.has(object)) {
      return undefined;
    }
    // The object is `this` of what is called so.
    const needsObject = property?.isCalled && THIS.test(functions.get(value)?.code ?? "this");
    return needsObject ? undefined : value;
  }

  private editOf({ captures }: SerializedFunction, name: FreeName): Edit[] {
    const captured = captures.get(name.name);
    if (captured === undefined && !this.serialized.packages.has(name.name)) {
      return [];
    }
    if (name.isAssigned) {
      throw new Error(`it assigns to "${name.name}", which it captures: each call has a copy.`);
    }
    const { start, property, isShorthand } = name;
    const read = captured === undefined ? undefined : this.propertyRead(captured, name);
    const replacesProperty = property && (captured === undefined || read !== undefined);
    const by =
      captured === undefined
        ? this.importedName(name)
        : this.nameOf(replacesProperty ? property.name : name.name, read ?? captured);
    return [
      {
        start,
        end: replacesProperty ? property.end : name.end,
        by: isShorthand ? `${name.name}: ${by}` : by,
      },
    ];
  }

  /** A name for the module. It depends on nothing but what the module has, nor do esbuild's then. */
  private newName(base: string): string {
    let name = `__${base}`;
    for (let n = 1; this.taken.has(name) || this.serialized.named.has(name); n += 1) {
      // The name may be one of a function that this module does not have.
      this.isMixed ||= this.serialized.named.has(name);
      name = `__${base}_${n}`;
    }
    this.taken.add(name);
    return name;
  }

  /** The module's name for what a function captures. */
  private nameOf(captured: string, value: string): string {
    const { functions, values } = this.serialized;
    if (functions.has(value) || values.has(value)) {
      this.add(value);
      return this.names.get(value) ?? value;
    }
    this.addAll([value]);
    const key = `${captured} = ${value}`;
    const constant = this.constants.get(key) ?? { name: this.newName(captured), value };
    this.constants.set(key, constant);
    return constant.name;
  }

  private importedName({ name, property }: FreeName): string {
    // It may be Node's own here, and a package in a function that this module does not have.
    this.isMixed ||= name in globalThis;
    const specifier = this.serialized.packages.get(name) ?? "";
    const key = `${specifier} ${property?.name ?? ""}`;
    const imported = this.imports.get(key) ?? {
      name: this.newName(property ? property.name : name),
      specifier,
      property: property?.name,
    };
    this.imports.set(key, imported);
    return imported.name;
  }

  /** The statements of all values: the variables first, and of these the one that another needs to exist. */
  private statements(): string[] {
    const variables = new Set<string>();
    const others: string[] = [];
    const addVariable = (name: string) => {
      const [first = ""] = this.serialized.values.get(name) ?? [];
      if (this.values.has(name) && first.startsWith("var ") && !variables.has(first)) {
        namesIn(first)
          .filter((other) => other !== name)
          .forEach(addVariable);
        variables.add(first);
      }
    };
    for (const name of this.values) {
      addVariable(name);
      const all = this.serialized.values.get(name) ?? [];
      others.push(...all.filter((statement) => !variables.has(statement)));
    }
    return [...variables, ...others];
  }

  /**
   * With the factory's result as `handler`.
   *
   * @param isAlone the text was made of this factory only
   * @returns undefined where another factory's text may have changed it
   */
  finish(isAlone: boolean): SerializedCallback | undefined {
    if (this.isMixed && !isAlone) {
      return undefined;
    }
    const { functions } = this.serialized;
    const statements = this.statements();
    statements.forEach(refuseLossyCapture);
    const constants = [...this.constants.values()];
    const isEarly = ({ value }: Constant) => SCALAR.test(value);
    const line = ({ name, value }: Constant) => `const ${name} = ${renamed(value, this.names)};`;

    const module = new ModuleText();
    module.addLines([...this.imports.values()].map(importLine));
    module.addLines(constants.filter(isEarly).map(line));
    for (const [name, edits] of this.edits) {
      module.addFunction(this.names.get(name) ?? name, functions.get(name)?.code ?? "", edits);
    }
    module.addLines(statements.map((each) => renamed(each, this.names)));
    module.addLines(constants.filter((constant) => !isEarly(constant)).map(line));
    module.addLines([`export const handler = ${this.names.get(this.factory)}();`]);
    return { text: module.text, functions: module.functions };
  }
}

/**
 * Makes modules of a text of Pulumi's serializer. Pulumi writes around each function a `with` block that
 * holds what it captures: it is opened at every call, and hides from compilers which variable is meant. In
 * a module that this makes, each captured function, value and package is a variable of the module. A
 * Lambda then has less to read at its start and less to do at each call, and esbuild can shorten names.
 *
 * @returns makes an ES module that exports what calling a function of the text gives, as `handler`. It
 *   depends on what that function captures, and not on what else is in the text: where that is not certain,
 *   it is undefined, unless the function `isAlone` in the text. It throws when something captured cannot be
 *   serialized; the message names it
 */
export function plainModules(
  text: SerializedText,
): (factory: string, isAlone: boolean) => SerializedCallback | undefined {
  const serialized = analyzed(text);
  return (factory, isAlone) => {
    const whole = new Set<string>();
    for (;;) {
      const known = whole.size;
      const module = new PlainModule(serialized, factory, whole);
      // An object that is used as a whole is read as an object everywhere: it may change.
      if (whole.size === known) {
        return module.finish(isAlone);
      }
    }
  };
}
