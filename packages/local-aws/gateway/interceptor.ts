import type { HttpRequest, HttpResponse } from "../http";
import type { Principal } from "../iam/principal";

/** A signed and allowed call, about to be forwarded. */
export interface AllowedCall {
  service: string;
  /** `service:Operation` */
  operation: string;
  principal: Principal;
  request: HttpRequest;
}

/** Thrown by an interceptor: the caller's connection is reset. */
export class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

/**
 * Stands between an allowed call and its service, to inject faults. An AwsError it throws is
 * answered in the service's own form; after a ConnectionReset nothing is answered.
 */
export type Interceptor = (
  call: AllowedCall,
  forward: () => Promise<HttpResponse>,
) => Promise<HttpResponse>;
