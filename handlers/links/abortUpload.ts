import type { APIGatewayProxyResult } from "aws-lambda";
import { jsonResponse } from "../../runtime/http";
import { logInfo } from "../../runtime/log";
import { abortMultipart } from "../../runtime/multipart/uploads";
import { abandonClaim } from "../../store/links/giveBack";
import { alreadyCompleted, claimOf, uploadOf, withPlace } from "./claimed";
import type { LinkRequest, LinksContext } from "./request";

/**
 * `DELETE /{ticket}/s3/multipart/{upload_id}?key=…`: gives an upload up, and its place. Also of a link that
 * has expired or was revoked. The claim is changed first: S3 completes no upload whose place was given back.
 */
export async function abortUpload(
  context: LinksContext,
  request: LinkRequest,
): Promise<APIGatewayProxyResult> {
  const claim = await claimOf(context, request);
  await withPlace(context, claim, async (current) => {
    if (current.state === "completing" || current.state === "stored") {
      throw alreadyCompleted(current);
    }
    const isAbandoned = current.state === "aborted" || (await abandonClaim(context.store, current));
    return isAbandoned ? "taken" : "repeated";
  });
  await abortMultipart(context.s3, uploadOf(context, claim));
  const { event_id, link_id } = claim;
  logInfo("Upload aborted.", { event_id, link_id });
  return jsonResponse(200, {});
}
