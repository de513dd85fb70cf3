import type { HttpResponse } from "../http";
import { textOf } from "../xml";

/** The code of an error response in JSON or XML; undefined where the response has none. */
export function errorCodeOf(response: HttpResponse): string | undefined {
  if (response.status < 400) {
    return undefined;
  }
  const named = response.headers["x-amzn-errortype"] ?? codeIn(response.body.toString("utf8"));
  // "com.amazonaws.dynamodb.v20120810#Code" and "Code:http://…" are both in use.
  return named?.replace(/^.*#/, "").replace(/:.*$/, "");
}

function codeIn(text: string): string | undefined {
  const code = /"__type"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? textOf(text, "Code");
  return code === "" ? undefined : code;
}
