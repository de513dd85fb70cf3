import type { HttpRequest } from "../http";
import type { Service, ServiceApi } from "./service";
import { claimedService } from "./signature/claim";
import { unserved } from "./unserved";

/**
 * The service that a request names: by its credential scope, or else by its headers and path.
 * Nothing is verified; a service that is not in the list is an unserved one.
 *
 * @param services the first that recognizes a request without a scope gets it
 */
export function findService<S extends ServiceApi>(
  services: readonly S[],
  request: HttpRequest,
): S | Service {
  const name = claimedService(request);
  const found = services.find((service) =>
    name === undefined ? service.recognizes(request) : service.name === name,
  );
  const service = found ?? unserved(name ?? "unknown");
  const errors = service.errorsOf?.(request);
  return errors ? { ...service, errors } : service;
}
