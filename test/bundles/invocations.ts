/** A row's image in a stream record of DynamoDB. */
function streamRecord(status: string, info: object, sequenceNumber: string) {
  return {
    eventName: "INSERT",
    dynamodb: {
      // In the future, so that it cannot have been published before.
      ApproximateCreationDateTime: Math.ceil(Date.now() / 1000) + 60,
      SequenceNumber: sequenceNumber,
      NewImage: {
        event_id: { S: `event-${sequenceNumber}` },
        event_timestamp: { S: "2026-11-30T00:00:00.000Z" },
        event_status: { S: status },
        event_info: { S: JSON.stringify({ Bucket: "a-bucket", ...info }) },
      },
    },
  };
}

function uploadOf(body: string) {
  return {
    httpMethod: "POST",
    headers: { "Content-Type": "text/plain" },
    queryStringParameters: { filename: "hello.txt" },
    multiValueQueryStringParameters: { filename: ["hello.txt"] },
    body: Buffer.from(body).toString("base64"),
    isBase64Encoded: true,
    requestContext: { requestId: "a-request" },
  };
}

const NO_RECORDS = { Records: [] };

/** For each Lambda but the manager: an empty event, and then one with calls to AWS; for `links`, one without a ticket. */
export const EVENTS: Record<string, unknown[]> = {
  links: [
    {
      httpMethod: "GET",
      headers: {},
      pathParameters: { proxy: "no-ticket/s3/multipart" },
      requestContext: { requestId: "a-request", path: "/stage/no-ticket/s3/multipart" },
    },
  ],
  upload: [uploadOf(""), uploadOf("hello")],
  record: [
    NO_RECORDS,
    {
      Records: [
        {
          eventTime: "2026-11-30T00:00:00.000Z",
          s3: {
            bucket: { name: "a-bucket" },
            object: { key: "a+b.txt", size: 5, eTag: "e", sequencer: "1" },
          },
        },
      ],
    },
  ],
  process: [
    NO_RECORDS,
    {
      Records: [
        streamRecord("uploaded", { Key: "sample.jpg", Checksum: "c0ffee" }, "1"),
        streamRecord("created", { Key: "empty" }, "2"),
      ],
    },
  ],
  notify: [NO_RECORDS, { Records: [streamRecord("processed", { Key: "sample.jpg" }, "3")] }],
  sweep: [{ "detail-type": "Scheduled Event", source: "aws.events" }],
};
