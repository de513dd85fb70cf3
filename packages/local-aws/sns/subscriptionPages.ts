import { AwsError } from "../awsError";
import type { HttpRequest, HttpResponse } from "../http";
import { escapeXml } from "../xml";
import type { Sns } from "./engine";

/**
 * The pages behind the links in mails: `<basePath>/confirm` and `<basePath>/unsubscribe`. As on AWS, a
 * GET is enough: who has the token or the subscription's ARN has the mail.
 */
export function subscriptionPages(
  sns: Pick<Sns, "confirm" | "unsubscribe">,
  basePath: string,
): (request: HttpRequest) => HttpResponse {
  return ({ method, url }) => {
    if (method !== "GET") {
      return page(405, "Open this link with GET", "", { allow: "GET" });
    }
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const parameter = (name: string): string => searchParams.get(name) ?? "";
    if (pathname === `${basePath}/confirm`) {
      return confirm(parameter("TopicArn"), parameter("Token"));
    }
    if (pathname === `${basePath}/unsubscribe`) {
      return unsubscribe(parameter("SubscriptionArn"));
    }
    return page(404, "There is no such page", "");
  };

  function confirm(topicArn: string, token: string): HttpResponse {
    try {
      const { arn, unsubscribeUrl } = sns.confirm(topicArn, token);
      return page(
        200,
        "Subscription confirmed!",
        `<p>You have successfully subscribed to ${escapeXml(topicArn)}.</p>` +
          `<p>Your subscription's id is: ${escapeXml(arn)}</p><p>If it was not your intention to ` +
          `subscribe, <a href="${escapeXml(unsubscribeUrl)}">click here to unsubscribe</a>.</p>`,
      );
    } catch (error) {
      if (error instanceof AwsError) {
        const text = "<p>The subscription may have been ended, or the link may be incomplete.</p>";
        return page(error.status, "This link confirms no subscription", text);
      }
      throw error;
    }
  }

  function unsubscribe(subscriptionArn: string): HttpResponse {
    const topicArn = sns.unsubscribe(subscriptionArn);
    return topicArn === undefined
      ? page(404, "There is no such subscription", "<p>It may have been ended before.</p>")
      : page(200, "Subscription removed!", `<p>It was one of ${escapeXml(topicArn)}.</p>`);
  }
}

function page(
  status: number,
  title: string,
  html: string,
  headers: Record<string, string> = {},
): HttpResponse {
  const body = Buffer.from(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>` +
      `<body><h1>${title}</h1>${html}</body></html>`,
  );
  return {
    status,
    headers: {
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
      "content-type": "text/html; charset=utf-8",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...headers,
    },
    body,
  };
}
