/** The routes below a link's ticket, as the manager's in `handlers/manager/routes.ts`. */
const ROUTE_NAMES = [
  "GET /",
  "GET /files/{event_id}",
  "GET /s3/params",
  "POST /s3/multipart",
  "GET /s3/multipart/{upload_id}",
  "DELETE /s3/multipart/{upload_id}",
  "POST /s3/multipart/{upload_id}/complete",
  "GET /s3/multipart/{upload_id}/{part_number}",
] as const;

/** A route by its name. */
export type RouteName = (typeof ROUTE_NAMES)[number];

/** The routes, with paths as in OpenAPI, without the ticket before them. */
export const LINK_ROUTES = ROUTE_NAMES.map((name) => {
  const [method = "", path = ""] = name.split(" ");
  return { name, method, path };
});

export interface RouteMatch {
  /** Absent: the path does not have the method. */
  name?: RouteName;
  /** The methods of the path. */
  allowed: string[];
  /** `{upload_id}` in the path; empty where the route has none. */
  uploadId: string;
  /** `{part_number}` in the path; empty where the route has none. */
  partNumber: string;
  /** `{event_id}` in the path; empty where the route has none. */
  eventId: string;
}

function matches(template: string, segments: string[]): boolean {
  const parts = template.split("/");
  return (
    parts.length === segments.length &&
    parts.every((part, index) =>
      part.startsWith("{") ? segments[index] !== "" : part === segments[index],
    )
  );
}

/**
 * The route of a request.
 *
 * @param path below the ticket, such as `/s3/multipart`; slashes at its end are ignored
 * @returns undefined for an unknown path
 */
export function matchRoute(method: string, path: string): RouteMatch | undefined {
  const segments = (path.replace(/\/+$/, "") || "/").split("/");
  const template = LINK_ROUTES.find((route) => matches(route.path, segments))?.path;
  if (template === undefined) {
    return undefined;
  }
  const routes = LINK_ROUTES.filter((route) => route.path === template);
  // HEAD is answered as GET; API Gateway leaves the body out.
  const served = method === "HEAD" ? "GET" : method;
  const valueOf = (parameter: string) => {
    const index = template.split("/").indexOf(`{${parameter}}`);
    return index < 0 ? "" : (segments[index] ?? "");
  };
  return {
    name: routes.find((route) => route.method === served)?.name,
    allowed: routes.flatMap((route) =>
      route.method === "GET" ? [route.method, "HEAD"] : [route.method],
    ),
    uploadId: valueOf("upload_id"),
    partNumber: valueOf("part_number"),
    eventId: valueOf("event_id"),
  };
}
