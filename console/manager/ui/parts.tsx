import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { EventStatus } from "../../../events/event";
import type { ApiError } from "../../shared/apiError";
import { timeText } from "../../shared/units";

/** The heading of a page. It gets the focus, so that a screen reader says where one is. */
export function PageHeading({ children, title }: { children: ComponentChildren; title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Console`;
  }, [title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function StatusBadge({ status }: { status: EventStatus }) {
  return <span class={`badge badge-${status}`}>{status}</span>;
}

export function Time({ iso }: { iso: string }) {
  return (
    <time dateTime={iso} title={iso}>
      {timeText(iso)}
    </time>
  );
}

/** An error of the API, as the API says it. */
export function ErrorNotice({ error, retry }: { error: ApiError; retry?: () => void }) {
  const { status, code, message, requestId } = error;
  return (
    <div class="notice notice-bad" role="alert">
      <p>
        {message}{" "}
        <span class="muted">
          ({status === 0 ? code : `${status} ${code}`}
          {requestId ? `, request ${requestId}` : ""})
        </span>
      </p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Copies a text; where the browser does not allow it, selects it, to be copied by hand. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [outcome, setOutcome] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      setOutcome("Not allowed here: select the text, and copy it by hand");
    }
  };
  useEffect(() => {
    const timer = setTimeout(setOutcome, 4000, "");
    return () => {
      clearTimeout(timer);
    };
  }, [outcome]);
  return (
    <>
      <button type="button" onClick={() => void copy()} aria-label={`Copy ${what}`}>
        {outcome === "Copied" ? "Copied" : "Copy"}
      </button>
      <span role="status" class={outcome === "Copied" ? "hidden" : "muted"}>
        {outcome}
      </span>
    </>
  );
}

/** A list of names and values; entries without a value are left out. */
export function Facts({ facts }: { facts: [name: string, value: ComponentChildren][] }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== "");
  return (
    <dl class="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
