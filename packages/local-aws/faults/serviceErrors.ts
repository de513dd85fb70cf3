import { AwsError } from "../awsError";

type ErrorForm = [code: string, status: number, message: string];

// As the services answer, and as SDK clients recognize it: by its code a throttled call, which is
// retried with longer pauses. An on-demand table has both forms.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const THROTTLED: ReadonlyMap<string, ErrorForm[]> = new Map(
  Object.entries<ErrorForm[]>({
    dynamodb: [
      [
        "ProvisionedThroughputExceededException",
        400,
        "The level of configured provisioned throughput for the table was exceeded.",
      ],
      [
        "ThrottlingException",
        400,
        "Throughput exceeds the current capacity of your table or index.",
      ],
    ],
    s3: [["SlowDown", 503, "Please reduce your request rate."]],
    sns: [["Throttling", 400, "Rate exceeded"]],
    sqs: [["RequestThrottled", 400, "The request was denied due to request throttling."]],
    sts: [["Throttling", 400, "Rate exceeded"]],
  }),
);

const UNAVAILABLE: ErrorForm = ["ServiceUnavailable", 503, "The service is not available now."];

const FAILED: ReadonlyMap<string, ErrorForm> = new Map(
  Object.entries<ErrorForm>({
    dynamodb: ["InternalServerError", 500, "Internal server error"],
    s3: ["InternalError", 500, "We encountered an internal error. Please try again."],
  }),
);

/** @param choice from 0 up to 1: which of the service's forms */
export function throttlingError(service: string, choice: number): AwsError {
  return pick(THROTTLED.get(service) ?? [["ThrottlingException", 400, "Rate exceeded"]], choice);
}

/** @param choice from 0 up to 1: 500 or 503 */
export function serverError(service: string, choice: number): AwsError {
  const failed = FAILED.get(service) ?? ["InternalFailure", 500, "An internal error occurred."];
  return pick([failed, UNAVAILABLE], choice);
}

function pick(forms: ErrorForm[], choice: number): AwsError {
  const [code, status, message] = forms[Math.floor(choice * forms.length)] ?? UNAVAILABLE;
  return new AwsError(code, status, `${message} (a fault that was asked for)`);
}
