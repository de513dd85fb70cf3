import { type PathParameters as ParametersOf, routesOf } from "../../runtime/requests/routes";

/** The routes, below a link's ticket. */
export const LINK_ROUTES = routesOf([
  "GET /",
  "GET /files/{event_id}",
  "GET /s3/params",
  "POST /s3/multipart",
  "GET /s3/multipart/{upload_id}",
  "DELETE /s3/multipart/{upload_id}",
  "POST /s3/multipart/{upload_id}/complete",
  "GET /s3/multipart/{upload_id}/{part_number}",
]);

/** A route by its name. */
export type RouteName = (typeof LINK_ROUTES)[number]["name"];

/** The values in a path, as they are in the URL; empty where the route has none. */
export type PathParameters = ParametersOf<RouteName>;
