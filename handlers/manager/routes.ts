/** In order of precedence: `retry` is not an id. */
const ROUTE_NAMES = [
  "GET /events",
  "POST /events/retry",
  "GET /events/{event_id}",
  "DELETE /events/{event_id}",
  "POST /events/{event_id}/retry",
  "GET /stats",
  "GET /stats/hours",
  "POST /uploads",
  "GET /openapi.json",
] as const;

/** A route by its name, such as `GET /events`. */
export type RouteName = (typeof ROUTE_NAMES)[number];

/** The routes, with paths as in OpenAPI. */
export const MANAGER_ROUTES = ROUTE_NAMES.map((name) => {
  const [method = "", path = ""] = name.split(" ");
  return { name, method, path };
});

export interface RouteMatch {
  /** Absent: the path does not have the method. */
  name?: RouteName;
  /** The methods of the path. */
  allowed: string[];
  /** `{event_id}` in the path; empty where the route has none. */
  eventId: string;
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
    eventId: template.includes("{event_id}") ? (trimmed.split("/")[2] ?? "") : "",
  };
}
