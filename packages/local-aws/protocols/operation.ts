import type { HttpRequest } from "../http";
import { splitUrl } from "../url";
import { formOf } from "./query";

/**
 * The operation that a request of the JSON or the query protocol names, such as `PutItem`; for any
 * other request its method and path.
 *
 * @param form the request's body, where the caller has read it already
 */
export function operationOf(request: HttpRequest, form?: URLSearchParams): string {
  // The target's form is <API and version>.<operation>.
  const target = request.headers["x-amz-target"]?.split(".")[1];
  if (target) {
    return target;
  }
  return (
    (form ?? formOf(request)).get("Action") ?? `${request.method} ${splitUrl(request.url).path}`
  );
}
