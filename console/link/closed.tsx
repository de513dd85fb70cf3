import type { ApiError } from "../shared/apiError";

const TITLES: Record<string, string> = {
  link_expired: "This link has expired",
  link_revoked: "This link was withdrawn",
  link_used_up: "This link has been used up",
  forbidden: "This link is not valid",
};

const ADVICE: Record<string, string> = {
  link_expired: "It takes no more files. Ask who sent it to you for a new one.",
  link_revoked: "It takes no more files. If you still have files to send, ask who sent it to you.",
  link_used_up: "It takes no more files. If you have more to send, ask who sent it to you.",
  forbidden:
    "Perhaps a part of it is missing: copy the whole link from the message, and open it again.",
};

/** What takes the place of the drop area when the link lets nothing in. */
export function Closed({ error, isHeading }: { error: ApiError; isHeading: boolean }) {
  const title = TITLES[error.code] ?? error.message;
  return (
    <section class={isHeading ? undefined : "notice closed"}>
      {isHeading ? (
        <h1>{title}</h1>
      ) : (
        <p>
          <strong>{title}</strong>
        </p>
      )}
      <p>{ADVICE[error.code]}</p>
    </section>
  );
}
