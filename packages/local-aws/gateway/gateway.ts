import { randomUUID } from "node:crypto";
import { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse, ReceiveBody } from "../http";
import type { Principal } from "../iam/principal";
import { jsonErrors } from "../protocols/json";
import { DiskFull } from "../storage/diskFull";
import type { DiskSpace } from "../storage/diskSpace";
import { type Authorization, authorize } from "./authorize";
import { errorCodeOf } from "./errorCode";
import { findService } from "./findService";
import { findSigner, identify, type Principals } from "./identify";
import { type AllowedCall, ConnectionReset, type Interceptor } from "./interceptor";
import { logError, type OnError, type RequestHandler } from "./listener";
import type { SelfSignedCall, ServedCall, Service, ServiceErrors } from "./service";
import { isSigned, missingSignature } from "./signature/claim";

/** One signed call, with its end; a form with a signed policy is one, too. */
export interface ServiceCall {
  service: string;
  /** `service:Operation` */
  operation: string;
  /** Undefined where the signature did not hold. */
  principalArn: string | undefined;
  functionName?: string;
  /** 0 where the connection was reset. */
  status: number;
  /** `ConnectionReset` where the connection was reset. */
  errorCode?: string;
  /** Milliseconds since 1970, UTC. */
  startedAt: number;
  /** Milliseconds from the request's last byte to the whole response. */
  durationMs: number;
  requestBytes: number;
}

export interface GatewayOptions extends Authorization {
  principals: Principals;
  /** The first that recognizes a request without a credential scope gets it. */
  services: readonly Service[];
  /** Answers all that has no signature and belongs to no service: REST APIs, pages. */
  unsigned: (request: HttpRequest) => Promise<HttpResponse>;
  /** Called with every signed call, denied and failed ones included. */
  observe?: (call: ServiceCall) => void;
  /** @default forwards */
  intercept?: Interceptor;
  /** Refuses calls that write while the disk is full. @default every call is forwarded */
  disk?: Pick<DiskSpace, "admit" | "explain">;
  /**
   * Called with every unexpected error and the id that the caller got for it.
   *
   * @default writes to stderr
   */
  onError?: OnError;
}

/** The errors of requests that are for no AWS service. */
const PAGE_ERRORS = jsonErrors();

/** Makes the gateway of all services: what answers the requests that a listener reads. */
export function createGateway(options: GatewayOptions): RequestHandler {
  const { services, principals, region, onError = logError } = options;

  async function handle(request: HttpRequest): Promise<HttpResponse | "reset"> {
    if (isSigned(request)) {
      const service = findService(services, request);
      return answerCall(service, request, signedRoute(service, request));
    }
    for (const service of services) {
      const unsigned = service.unsigned?.(request);
      if (unsigned && "call" in unsigned) {
        return answerCall(service, request, selfSignedRoute(unsigned.call));
      }
      if (unsigned) {
        return answerAnonymous(service, request, unsigned.answer);
      }
    }
    return answerPage(request);
  }

  /** From the signature in header or query to the caller. */
  function signedRoute(service: Service, request: HttpRequest): Route {
    return {
      read: () => service.read(request),
      identify: () => identify(principals, region, service, request),
    };
  }

  /** From the signature in the body to the caller. */
  function selfSignedRoute(call: SelfSignedCall): Route {
    return {
      read: () => call,
      identify: () => findSigner(principals, (secretOf) => call.verify(secretOf, region)).principal,
    };
  }

  /** The way of a call: read, identify, authorize, inject faults, forward, answer. */
  async function answerCall(
    service: Service,
    request: HttpRequest,
    route: Route,
  ): Promise<HttpResponse | "reset"> {
    const { name, errors } = service;
    const startedAt = Date.now();
    const start = performance.now();
    let operation = `${name}:Unknown`;
    let principal: Principal | undefined;
    let forwarded: HttpResponse | undefined;
    let response: HttpResponse | "reset";
    try {
      const call = route.read();
      operation = call.operation;
      const caller = route.identify();
      principal = caller;
      authorize(options, errors, caller, call.grants(options));
      options.disk?.admit(operation, request.body.length);
      const allowed = { service: name, operation, principal: caller, request };
      response = await injectFaults(allowed, async () => (forwarded = await call.forward(caller)));
      authorize(options, errors, caller, call.grantsToSee?.(response) ?? []);
    } catch (error) {
      response =
        error instanceof ConnectionReset
          ? "reset"
          : renderFailure(errors, request, operation, error);
    }
    if (forwarded?.stream && (response === "reset" || response.stream !== forwarded.stream)) {
      // Nobody will read it.
      forwarded.stream.destroy();
    }
    observe({
      service: name,
      operation,
      principalArn: principal?.arn,
      functionName: principal?.functionName,
      ...outcomeOf(response),
      startedAt,
      durationMs: performance.now() - start,
      requestBytes: request.spooled?.sentBytes ?? request.body.length,
    });
    return response === "reset" ? response : decorate(service, request, response);
  }

  function injectFaults(
    call: AllowedCall,
    forward: () => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    return options.intercept?.(call, forward) ?? forward();
  }

  function observe(call: ServiceCall): void {
    try {
      options.observe?.(call);
    } catch (error) {
      // The call itself is done, and its caller gets the answer.
      onError(error, `observing ${call.operation}`);
    }
  }

  function answerAnonymous(
    service: Service,
    request: HttpRequest,
    answer: () => HttpResponse,
  ): HttpResponse {
    try {
      return decorate(service, request, answer());
    } catch (error) {
      const refusal = renderFailure(service.errors, request, service.name, error);
      return decorate(service, request, refusal);
    }
  }

  async function answerPage(request: HttpRequest): Promise<HttpResponse> {
    if (isClientCall(request)) {
      const { errors } = findService(services, request);
      return errors.render(missingSignature(errors), newRequestId());
    }
    try {
      return await options.unsigned(request);
    } catch (error) {
      return renderFailure(PAGE_ERRORS, request, "execute-api", error);
    }
  }

  function receiverOf(request: HttpRequest): ReceiveBody | undefined {
    return ownerOf(request)?.receiverOf?.(request);
  }

  function refuse(request: HttpRequest, error: unknown): HttpResponse {
    const service = ownerOf(request) ?? findService(services, request);
    const refusal = renderFailure(service.errors, request, service.name, error);
    return decorate(service, request, refusal);
  }

  /** The service that answers a request; undefined for a page. */
  function ownerOf(request: HttpRequest): Service | undefined {
    return isSigned(request)
      ? findService(services, request)
      : services.find((service) => service.unsigned?.(request) !== undefined);
  }

  function renderFailure(
    errors: ServiceErrors,
    request: HttpRequest,
    where: string,
    error: unknown,
  ): HttpResponse {
    const requestId = newRequestId();
    if (error instanceof AwsError) {
      return errors.render(error, requestId);
    }
    const explained = options.disk?.explain(error) ?? error;
    if (explained instanceof DiskFull) {
      const code = errors.unavailable ?? errors.internal;
      return errors.render(new AwsError(code, 503, explained.message), requestId);
    }
    onError(error, `${where}: ${request.method} ${request.url} (request ${requestId})`);
    const message = `An internal error occurred (request ${requestId})`;
    return errors.render(new AwsError(errors.internal, 500, message), requestId);
  }

  return { handle, receiverOf, refuse };
}

/**
 * Whether a client of an AWS service sent an unsigned request. The path `/` belongs to no REST API, and
 * people only read it.
 */
function isClientCall({ method, url, headers }: HttpRequest): boolean {
  if (headers["x-amz-target"] !== undefined) {
    return true;
  }
  const isRead = method === "GET" || method === "HEAD";
  return /^\/($|\?)/.test(url) && (!isRead || headers["amz-sdk-invocation-id"] !== undefined);
}

/** The steps from a request to its call and its caller; both throw AwsError. */
interface Route {
  read: () => ServedCall;
  identify: () => Principal;
}

function decorate(service: Service, request: HttpRequest, response: HttpResponse): HttpResponse {
  return service.decorate?.(request, response) ?? response;
}

function outcomeOf(response: HttpResponse | "reset"): Pick<ServiceCall, "status" | "errorCode"> {
  return response === "reset"
    ? { status: 0, errorCode: "ConnectionReset" }
    : { status: response.status, errorCode: errorCodeOf(response) };
}

function newRequestId(): string {
  return randomUUID();
}
