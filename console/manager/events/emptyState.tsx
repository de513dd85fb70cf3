import { useEffect, useState } from "preact/hooks";
import { asApiError } from "../../shared/apiError";
import { useSession } from "../ui/context";
import { CopyButton } from "../ui/parts";

/** The line that uploads a file, by the description of this deployment's APIs. */
function useCurlLine(isNeeded: boolean): string {
  const { api } = useSession();
  const [line, setLine] = useState("");
  useEffect(() => {
    if (!isNeeded) {
      return;
    }
    api.description().then(
      ({ paths }) => {
        const { servers, post } = paths["/upload"];
        const key = post.security.length > 0 ? " -H 'x-api-key: …the output uploadApiKey…'" : "";
        const url = `${servers[0]?.url ?? ""}/upload?filename=sample.jpg`;
        setLine(`curl --data-binary @sample.jpg -H 'Content-Type: image/jpeg'${key} '${url}'`);
      },
      (error: unknown) => {
        setLine(asApiError(error).message);
      },
    );
  }, [isNeeded]);
  return line;
}

/** What stands in place of a list without an event. */
export function EmptyState({ isUnfiltered }: { isUnfiltered: boolean }) {
  const line = useCurlLine(isUnfiltered);
  if (!isUnfiltered) {
    return <p class="empty">No event fits the filter.</p>;
  }
  return (
    <div class="empty">
      <h2>No file has come yet</h2>
      <p>
        Upload one <a href="#/upload">here</a>, make a <a href="#/links">link</a> by which others
        upload, or upload one by the command line:
      </p>
      <pre class="command">
        <code>{line === "" ? "…" : line}</code>
      </pre>
      <CopyButton text={line} what="the command" />
    </div>
  );
}
