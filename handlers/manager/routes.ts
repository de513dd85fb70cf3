import { type PathParameters as ParametersOf, routesOf } from "../../runtime/requests/routes";

/** The routes. In order of precedence: `retry` is not an id, and `complete` no part's number. */
export const MANAGER_ROUTES = routesOf([
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
]);

/** A route by its name, such as `GET /events`. */
export type RouteName = (typeof MANAGER_ROUTES)[number]["name"];

/** The values in a path, as they are in the URL; empty where the route has none. */
export type PathParameters = ParametersOf<RouteName>;
