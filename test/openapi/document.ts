import { readFileSync } from "node:fs";
import * as path from "node:path";
import { PROGRAM_DIR } from "../../start/programDir";

/** An object of the document, not validated. */
export type DocumentObject = Record<string, unknown>;

/** An object of the document, with its JSON pointer, such as `#/components/schemas`. */
export interface Located<T> {
  pointer: string;
  value: T;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: DocumentObject;
}

export interface Header {
  required?: boolean;
  schema: DocumentObject;
}

/** The parts of an operation that the checks use. */
export interface Operation {
  operationId: string;
  parameters?: unknown[];
  requestBody?: { required?: boolean; content: DocumentObject };
  responses: DocumentObject;
  security?: object[];
}

export interface Answer {
  headers?: DocumentObject;
  content?: DocumentObject;
}

interface OpenApiDocument extends DocumentObject {
  components: { schemas: DocumentObject };
  security: object[];
  paths: Record<string, DocumentObject>;
}

/** The operation of a request. */
export interface RequestedOperation extends Located<Operation> {
  /** The values of the path's parameters, decoded. */
  pathParameters: Record<string, string>;
  /** Parameters of the path and of the operation. */
  parameters: Located<Parameter>[];
}

/** A path of the document that matches a URL. */
interface DescribedPath {
  template: string;
  pathParameters: Record<string, string>;
}

export const DOCUMENT_FILE = path.join(PROGRAM_DIR, "openapi.json");

export const DOCUMENT = JSON.parse(readFileSync(DOCUMENT_FILE, "utf8")) as OpenApiDocument;

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

export function isObject(value: unknown): value is DocumentObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The pointer to a property or element. */
export function below(pointer: string, ...names: string[]): string {
  const tokens = names.map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1"));
  return [pointer, ...tokens].join("/");
}

/** The value at a pointer, with its `$ref` resolved. */
export function locate(pointer: string): Located<unknown> {
  let value: unknown = DOCUMENT;
  for (const token of pointer.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    value = (value as DocumentObject | undefined)?.[name];
  }
  if (value === undefined) {
    throw new Error(`openapi.json has nothing at ${pointer}.`);
  }
  const target = isObject(value) ? value.$ref : undefined;
  return typeof target === "string" ? locate(target) : { pointer, value };
}

/** The path below the API's stage: on AWS the first segment, on the local run the third. */
function pathBelowStage({ hostname, pathname }: URL): string {
  const stage = hostname.endsWith(".amazonaws.com") ? /^\/[^/]+/ : /^\/_api\/[^/]+\/[^/]+/;
  const below = pathname.replace(stage, "");
  // API Gateway's own paths accept a trailing slash.
  return below.length > 1 ? below.replace(/\/+$/, "") : below;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function parametersIn(template: string, segments: string[]): Record<string, string> | undefined {
  const parts = template.split("/");
  if (parts.length !== segments.length) {
    return undefined;
  }
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? "";
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== segment : segment === "") {
      return undefined;
    }
    if (name !== undefined) {
      parameters[name] = decoded(segment);
    }
  }
  return parameters;
}

/** The document's path for a URL; one without parameters comes before one with them. */
export function findPath(url: string): DescribedPath | undefined {
  const segments = pathBelowStage(new URL(url)).split("/");
  const found = Object.keys(DOCUMENT.paths).flatMap((template) => {
    const pathParameters = parametersIn(template, segments);
    return pathParameters ? [{ template, pathParameters }] : [];
  });
  return found.find(({ template }) => !template.includes("{")) ?? found[0];
}

/** The methods of a path, in capitals. */
export function methodsOf(template: string): string[] {
  const item = DOCUMENT.paths[template] ?? {};
  return METHODS.filter((method) => method in item).map((method) => method.toUpperCase());
}

function parametersAt(pointer: string): Located<Parameter>[] {
  const owner = locate(pointer).value as { parameters?: unknown[] };
  return (owner.parameters ?? []).map(
    (_, index) => locate(below(pointer, "parameters", String(index))) as Located<Parameter>,
  );
}

/** The operation for a request; undefined where the path or the method is not described. */
export function findOperation(method: string, url: string): RequestedOperation | undefined {
  const found = findPath(url);
  if (!found || !methodsOf(found.template).includes(method)) {
    return undefined;
  }
  const item = below("#/paths", found.template);
  const pointer = below(item, method.toLowerCase());
  return {
    ...(locate(pointer) as Located<Operation>),
    pathParameters: found.pathParameters,
    parameters: [...parametersAt(item), ...parametersAt(pointer)],
  };
}
