import { httpError } from "../http";

/** The names in a route's path, such as `event_id` of `GET /events/{event_id}`. */
export type ParameterOf<Name extends string> =
  Name extends `${string}{${infer Parameter}}${infer Rest}` ? Parameter | ParameterOf<Rest> : never;

/** The values in a path, as they are in the URL; empty where the route has none. */
export type PathParameters<Name extends string> = Record<ParameterOf<Name>, string>;

/** One route of an API, with its path as in OpenAPI. */
export interface Route<Name extends string> {
  name: Name;
  method: string;
  path: string;
}

/** The routes of these names, such as `GET /events/{event_id}`. */
export function routesOf<const Name extends string>(names: readonly Name[]): Route<Name>[] {
  return names.map((name) => {
    const [method = "", path = ""] = name.split(" ");
    return { name, method, path };
  });
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

function pathParameters<Name extends string>(
  routes: Route<Name>[],
  template: string,
  segments: string[],
): PathParameters<Name> {
  const parts = template.split("/");
  const names = routes.flatMap(({ path }) => path.match(/(?<=\{)\w+/g) ?? []);
  const values = names.map((name) => [name, segments[parts.indexOf(`{${name}}`)] ?? ""]);
  return Object.fromEntries(values) as PathParameters<Name>;
}

export interface RouteMatch<Name extends string> {
  /** Absent: the path does not have the method. */
  name?: Name;
  /** The methods of the path. */
  allowed: string[];
  path: PathParameters<Name>;
}

/**
 * The route of a request.
 *
 * @param routes in order of precedence: the first path that fits counts
 * @param path below the API's root, such as `/events/retry`; slashes at its end are ignored
 * @returns undefined for an unknown path
 */
export function matchRoute<Name extends string>(
  routes: Route<Name>[],
  method: string,
  path: string,
): RouteMatch<Name> | undefined {
  const segments = (path.replace(/\/+$/, "") || "/").split("/");
  const template = routes.find((route) => matches(route.path, segments))?.path;
  if (template === undefined) {
    return undefined;
  }
  const here = routes.filter((route) => route.path === template);
  // HEAD is answered as GET; API Gateway leaves the body out.
  const served = method === "HEAD" ? "GET" : method;
  return {
    name: here.find((route) => route.method === served)?.name,
    allowed: here.flatMap(({ method: each }) => (each === "GET" ? [each, "HEAD"] : [each])),
    path: pathParameters(routes, template, segments),
  };
}

/**
 * The route of a request, as `matchRoute` finds it.
 *
 * @param elsewhere the message for an unknown path
 * @throws an `HttpError` 404, or 405 where the path does not have the method. None repeats the path
 */
export function requireRoute<Name extends string>(
  routes: Route<Name>[],
  method: string,
  path: string,
  elsewhere: string,
): { name: Name; path: PathParameters<Name> } {
  const route = matchRoute(routes, method, path);
  if (route === undefined) {
    throw httpError(404, "not_found", elsewhere);
  }
  const { name, allowed, path: parameters } = route;
  if (name === undefined) {
    const methods = allowed.join(", ");
    throw httpError(405, "method_not_allowed", `Allowed here: ${methods}.`, { Allow: methods });
  }
  return { name, path: parameters };
}
