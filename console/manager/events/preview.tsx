import { useState } from "preact/hooks";
import type { FileEvent } from "../../../events/event";
import { bytesText } from "../../shared/units";
import { nameOf } from "./loadedEvents";

/** Of what was found in the bytes; a browser shows these as pictures, and runs no script in them. */
const SHOWN = new Set([
  "image/apng",
  "image/avif",
  "image/bmp",
  "image/gif",
  "image/jpeg",
  "image/png",
  "image/svg+xml",
  "image/vnd.microsoft.icon",
  "image/webp",
]);

/** Bytes; larger pictures are loaded when asked for. */
const MAX_UNASKED = 20_000_000;

/** The picture of an image's event, from its temporary link. */
export function Preview({ event, url }: { event: FileEvent; url: string }) {
  // A link that is renewed does not load the picture again.
  const [shownUrl] = useState(url);
  const [isAsked, setAsked] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const { type = "", size = 0, width, height } = event.event_result ?? {};
  if (!SHOWN.has(type)) {
    return null;
  }
  if (isBroken) {
    return <p class="muted">The browser cannot show this picture ({type}).</p>;
  }
  if (size > MAX_UNASKED && !isAsked) {
    return (
      <button
        type="button"
        onClick={() => {
          setAsked(true);
        }}
      >
        Show the picture ({bytesText(size)})
      </button>
    );
  }
  return (
    <img
      class="preview"
      src={shownUrl}
      alt={`Preview of ${nameOf(event)}`}
      width={width}
      height={height}
      referrerpolicy="no-referrer"
      onError={() => {
        setBroken(true);
      }}
    />
  );
}
