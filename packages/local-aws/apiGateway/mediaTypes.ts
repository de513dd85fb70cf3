/**
 * Whether a Content-Type or Accept header counts as binary for a REST API. Of an Accept header
 * only the first type counts; a missing header counts as `application/json`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
 *
 * @param binaryMediaTypes media types, with an asterisk for any subtype, or for any type at all
 */
export function isBinary(header: string | undefined, binaryMediaTypes: string[]): boolean {
  const type = (header ?? "application/json").split(/[,;]/, 1)[0]?.trim().toLowerCase() ?? "";
  return binaryMediaTypes.some((binary) => {
    const pattern = binary.toLowerCase();
    if (pattern === "*/*" || pattern === type) {
      return true;
    }
    return pattern.endsWith("/*") && type.startsWith(pattern.slice(0, -1));
  });
}
