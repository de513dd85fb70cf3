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

/** Whether somewhere in these inputs is the function's ARN. */
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
 * One that reads comes first, for it needs nothing in its body, and one without parameters. What
 * takes any method is often there for the refusal of the wrong ones.
 */
function plainestRoute(routes: Route[]): Route | undefined {
  const rank = ({ method, path }: Route) =>
    (method === "GET" ? 0 : method === ANY ? 4 : 2) + (path.includes("{") ? 1 : 0);
  return routes.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** A request as API Gateway passes it on. */
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

/** A status that the filter of an event source mapping lets through. */
function statusIn(filterCriteria: unknown): EventStatus {
  const { filters: [first] = [] } = (filterCriteria ?? {}) as { filters?: { pattern: string }[] };
  const allowed = EVENT_STATUSES.filter((status) => first?.pattern.includes(`"${status}"`));
  return allowed.at(-1) ?? "processed";
}

/** One row that came to a status, as the table's stream tells of it. */
function streamEvent(status: EventStatus): object {
  const event = processedEvent({
    event_status: status,
    event_info: { Bucket: "a-bucket", Key: "sample.jpg", Size: 78_012, FileName: "sample.jpg" },
    ...(status === "processed" ? {} : { event_result: undefined }),
  });
  return { Records: [streamRecord(itemOf(event))] };
}

/**
 * An event with one thing to do, of the kind that starts the Lambda: what the program has it
 * started by says which. Empty for a Lambda that nothing starts.
 */
export function sampleEvent(recording: Recording, lambdaName: string): unknown {
  const [lambda] = ofType(recording, "Function").filter(({ name }) => name === lambdaName);
  if (!lambda) {
    throw new Error(`The program has no Lambda "${lambdaName}".`);
  }
  // As the mocks name it.
  const functionName = `${lambdaName}-1a2b3c4`;
  const startedBy = (type: string) =>
    ofType(recording, type).find(({ inputs }) => refersTo(inputs, functionName));
  const route = plainestRoute(routesTo(recording, functionName));
  if (route) {
    return requestEvent(route);
  }
  const mapping = startedBy("EventSourceMapping");
  if (mapping) {
    return streamEvent(statusIn(mapping.inputs.filterCriteria));
  }
  if (startedBy("BucketNotification")) {
    const eventTime = new Date().toISOString();
    return { Records: [s3Record({ bucket: "a-bucket", encodedKey: "a+b.txt", eventTime })] };
  }
  return startedBy("EventTarget") ? { "detail-type": "Scheduled Event", source: "aws.events" } : {};
}
