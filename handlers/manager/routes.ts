/** In order of precedence: `retry` is not an id, and `complete` no part's number. */
const ROUTE_NAMES = [
  "GET /events",
  "POST /events/retry",
  "GET /events/{event_id}",
  "DELETE /events/{event_id}",
  "POST /events/{event_id}/retry",
  "GET /stats",
  "GET /stats/hours",
  "POST /uploads",
  "POST /s3/multipart",
  "GET /s3/multipart/{upload_id}",
  "DELETE /s3/multipart/{upload_id}",
  "POST /s3/multipart/{upload_id}/complete",
  "GET /s3/multipart/{upload_id}/{part_number}",
  "GET /links",
  "POST /links",
  "GET /links/{link_id}",
  "DELETE /links/{link_id}",
  "GET /openapi.json",
] as const;

/** A route by its name, such as `GET /events`. */
export type RouteName = (typeof ROUTE_NAMES)[number];

/** The routes, with paths as in OpenAPI. */
export const MANAGER_ROUTES = ROUTE_NAMES.map((name) => {
  const [method = "", path = ""] = name.split(" ");
  return { name, method, path };
});

/** Names in the routes' paths. */
const PATH_PARAMETERS = ["event_id", "upload_id", "part_number", "link_id"] as const;

/** The values in a path, as they are in the URL; empty where the route has none. */
export type PathParameters = Record<(typeof PATH_PARAMETERS)[number], string>;

export interface RouteMatch {
  /** Absent: the path does not have the method. */
  name?: RouteName;
  /** The methods of the path. */
  allowed: string[];
  path: PathParameters;
}

/** The first template that matches the path. */
function templateOf(path: string): string | undefined {
  const segments = path.split("/");
  return MANAGER_ROUTES.map((route) => route.path).find((template) => {
    const parts = template.split("/");
    return (
      parts.length === segments.length &&
      parts.every((part, index) =>
        part.startsWith("{") ? segments[index] !== "" : part === segments[index],
      )
    );
  });
}

function pathParameters(template: string, path: string): PathParameters {
  const parts = template.split("/");
  const segments = path.split("/");
  const value = (name: string) => segments[parts.indexOf(`{${name}}`)] ?? "";
  return Object.fromEntries(
    PATH_PARAMETERS.map((name) => [name, value(name)]),
  ) as unknown as PathParameters;
}

/**
 * The route of a request.
 *
 * @param path below the stage, such as `/events/retry`; slashes at its end are ignored
 * @returns undefined for an unknown path
 */
export function matchRoute(method: string, path: string): RouteMatch | undefined {
  const trimmed = path.replace(/\/+$/, "");
  const template = templateOf(trimmed);
  if (template === undefined) {
    return undefined;
  }
  const routes = MANAGER_ROUTES.filter((route) => route.path === template);
  // HEAD is answered as GET; API Gateway leaves the body out.
  const served = method === "HEAD" ? "GET" : method;
  const route = routes.find((candidate) => candidate.method === served);
  return {
    name: route?.name,
    allowed: routes.flatMap(({ method: each }) => (each === "GET" ? [each, "HEAD"] : [each])),
    path: pathParameters(template, trimmed),
  };
}
