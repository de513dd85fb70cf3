import Ajv, { type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { DOCUMENT } from "./document";

const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
addFormats(ajv);
// In strict mode, the document as a whole is compiled as a schema too.
ajv.addVocabulary(Object.keys(DOCUMENT));
ajv.addSchema(DOCUMENT, "openapi.json");

/** The validator for the schema at a pointer. @throws for an invalid schema */
export function validatorAt(pointer: string): ValidateFunction {
  const tokens = pointer.slice(1).split("/").map(encodeURIComponent);
  const validate = ajv.getSchema(`openapi.json#${tokens.join("/")}`);
  if (!validate) {
    throw new Error(`openapi.json has no schema at ${pointer}.`);
  }
  return validate as ValidateFunction;
}

/** The problems of a value, a line each; empty for a valid one. */
export function problemsOf(pointer: string, value: unknown): string[] {
  const validate = validatorAt(pointer);
  if (validate(value)) {
    return [];
  }
  return (validate.errors ?? []).map(({ instancePath, message = "", params }) => {
    const details = Object.values(params as Record<string, unknown>).map((detail) =>
      JSON.stringify(detail),
    );
    return `${instancePath === "" ? "the whole" : instancePath} ${message} (${details.join(", ")})`;
  });
}

/** The value of a parameter's or header's text. */
function valueOf(text: string, type: unknown): unknown {
  if ((type === "integer" || type === "number") && /^-?\d+(\.\d+)?$/.test(text)) {
    return Number(text);
  }
  return type === "boolean" && (text === "true" || text === "false") ? text === "true" : text;
}

/** Like `problemsOf`, for the text of a parameter or a header. */
export function problemsOfText(pointer: string, schema: { type?: unknown }, text: string) {
  return problemsOf(pointer, valueOf(text, schema.type));
}
