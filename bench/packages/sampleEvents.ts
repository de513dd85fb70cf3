import { EVENT_STATUSES, type EventStatus } from "../../events/event";
import { itemOf, processedEvent } from "../../testing/events";
import { ofType, type Recording } from "../../testing/recordingMocks";
import { s3Record, streamRecord } from "../../testing/records";

interface Route {
  method: string;
  path: string;
}

/** The method of a route for every method. */
const ANY = "ANY";

interface SwaggerPaths {
  paths: Record<
    string,
    Record<string, { "x-amazon-apigateway-integration"?: { uri?: string } } | undefined>
  >;
}

/** Whether these inputs contain the function's ARN. */
function refersTo(inputs: unknown, functionName: string): boolean {
  return new RegExp(`:function:${functionName}["/]`).test(JSON.stringify(inputs));
}

function routesTo(recording: Recording, functionName: string): Route[] {
  return ofType(recording, "RestApi").flatMap(({ inputs }) => {
    const { paths } = JSON.parse(String(inputs.body)) as SwaggerPaths;
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, operation]) => refersTo(operation, functionName))
        .map(([method]) => ({
          method: method.startsWith("x-") ? ANY : method.toUpperCase(),
          path,
        })),
    );
  });
}

/**
 * The simplest route: that of a whole API before others, which are its pages; GET before others, since it
 * needs no body; without path parameters before with; ANY last, since it often exists to refuse wrong
 * methods.
 */
function simplestRoute(routes: Route[]): Route | undefined {
  const rank = ({ method, path }: Route) =>
    path === "/{proxy+}"
      ? -1
      : (method === "GET" ? 0 : method === ANY ? 4 : 2) + (path.includes("{") ? 1 : 0);
  return routes.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** A request in API Gateway's proxy format. */
function requestEvent({ method: routeMethod, path }: Route): object {
  const method = routeMethod === ANY ? "GET" : routeMethod;
  const withBody = method !== "GET" && method !== "DELETE";
  const headers = { "Content-Type": "text/plain", Host: "api.example.com" };
  const pathParameters: Record<string, string> = {};
  const filled = path.replace(/\{(\w+)\+?\}/g, (_, name: string) => {
    pathParameters[name] = "events";
    return "events";
  });
  return {
    resource: path,
    path: filled,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, [value]]),
    ),
    queryStringParameters: withBody ? { filename: "hello.txt" } : null,
    multiValueQueryStringParameters: withBody ? { filename: ["hello.txt"] } : null,
    pathParameters,
    body: withBody ? Buffer.from("hello").toString("base64") : null,
    isBase64Encoded: withBody,
    requestContext: {
      requestId: "a-request",
      stage: "stage",
      httpMethod: method,
      path: `/stage${filled}`,
      domainName: "api.example.com",
    },
  };
}

/** A status that passes the filter of an event source mapping. */
function statusIn(filterCriteria: unknown): EventStatus {
  const { filters: [first] = [] } = (filterCriteria ?? {}) as { filters?: { pattern: string }[] };
  const allowed = EVENT_STATUSES.filter((status) => first?.pattern.includes(`"${status}"`));
  return allowed.at(-1) ?? "processed";
}

/** A stream event of one row with this status. */
function streamEvent(status: EventStatus): object {
  const event = processedEvent({
    event_status: status,
    event_info: { Bucket: "a-bucket", Key: "sample.jpg", Size: 78_012, FileName: "sample.jpg" },
    ...(status === "processed" ? {} : { event_result: undefined }),
  });
  return { Records: [streamRecord(itemOf(event))] };
}

/**
 * A sample event for a Lambda, of the kind of its trigger in the program: API, stream, bucket or
 * schedule. Empty for a Lambda without a trigger.
 */
export function sampleEvent(recording: Recording, lambdaName: string): unknown {
  const [lambda] = ofType(recording, "Function").filter(({ name }) => name === lambdaName);
  if (!lambda) {
    throw new Error(`The program has no Lambda "${lambdaName}".`);
  }
  // The mocks' physical name.
  const functionName = `${lambdaName}-1a2b3c4`;
  const triggerOf = (type: string) =>
    ofType(recording, type).find(({ inputs }) => refersTo(inputs, functionName));
  const route = simplestRoute(routesTo(recording, functionName));
  if (route) {
    return requestEvent(route);
  }
  const mapping = triggerOf("EventSourceMapping");
  if (mapping) {
    return streamEvent(statusIn(mapping.inputs.filterCriteria));
  }
  if (triggerOf("BucketNotification")) {
    // Ahead of the bench's end: a late event's row costs one more request.
    const eventTime = new Date(Date.now() + 60 * 60 * 1000).toISOString();
    return { Records: [s3Record({ bucket: "a-bucket", encodedKey: "a+b.txt", eventTime })] };
  }
  return triggerOf("EventTarget") ? { "detail-type": "Scheduled Event", source: "aws.events" } : {};
}
