import { useEffect, useReducer, useState } from "preact/hooks";
import type { Transfer } from "../../shared/transfers";
import { bytesText, secondsText } from "../../shared/units";
import { eventHref } from "../route";
import { useSession } from "../ui/context";
import { PageHeading } from "../ui/parts";
import type { OwnUploads } from "./ownUploads";

/** Such as `45 MB of 300 MB, 12 MB a second, 20 s left`. */
function progressText({ sentBytes, size, bytesPerSecond }: Transfer): string {
  const sent = `${bytesText(sentBytes)} of ${bytesText(size)}`;
  if (bytesPerSecond === undefined) {
    return sent;
  }
  const left =
    bytesPerSecond > 0 ? `, ${secondsText((size - sentBytes) / bytesPerSecond)} left` : "";
  return `${sent}, ${bytesText(Math.round(bytesPerSecond))} a second${left}`;
}

function stateText(transfer: Transfer): string {
  const { state, size, error, wasSentBefore, isResumed } = transfer;
  switch (state) {
    case "waiting":
      return `Waiting, ${bytesText(size)}`;
    case "sending":
      return `${progressText(transfer)}${isResumed ? "; goes on with an earlier visit’s" : ""}`;
    case "paused":
      return `Paused: ${progressText(transfer)}`;
    case "interrupted":
      return `${error?.message ?? ""} It goes on by itself.`;
    case "failed":
      return `Failed: ${error?.message ?? ""} (${error?.code ?? ""})`;
    case "sent":
      return `${wasSentBefore ? "Stored before, from this browser" : "Stored"}, ${bytesText(size)}`;
  }
}

function UploadRow({ transfer, uploads }: { transfer: Transfer; uploads: OwnUploads }) {
  const { id, name, size, sentBytes, state, eventId, wasSentBefore } = transfer;
  const button = (label: string, act: (id: string) => void) => (
    <button
      type="button"
      aria-label={`${label} ${name}`}
      onClick={() => {
        act(id);
      }}
    >
      {label}
    </button>
  );
  return (
    <li class="card transfer">
      <div class="transfer-name">
        <bdi>{name}</bdi>
      </div>
      {state !== "sent" && (
        <progress max={size} value={sentBytes} aria-label={`Upload of ${name}`} />
      )}
      <p class={state === "failed" ? "bad" : "muted"}>{stateText(transfer)}</p>
      <div class="actions">
        {state === "sent" && eventId && (
          <a class="button" href={eventHref(eventId)} aria-label={`Event of ${name}`}>
            Event
          </a>
        )}
        {state === "sending" && button("Pause", uploads.pause)}
        {state === "paused" && button("Resume", uploads.resume)}
        {(state === "failed" || state === "interrupted") && button("Retry", uploads.retry)}
        {wasSentBefore && button("Send again", uploads.retry)}
        {button(state === "sent" ? "Hide" : "Cancel", uploads.cancel)}
      </div>
    </li>
  );
}

/** Uploads of an operator's own files, of any size. */
export function UploadPage() {
  const { uploads } = useSession();
  const [empty, setEmpty] = useState<string[]>([]);
  const [isOver, setOver] = useState(false);
  const [, render] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    scrollTo(0, 0);
    return uploads.subscribe(() => {
      render(undefined);
    });
  }, []);

  const add = (chosen: FileList | null | undefined) => {
    const files = [...(chosen ?? [])];
    setEmpty(files.filter(({ size }) => size === 0).map(({ name }) => name));
    uploads.add(files.filter(({ size }) => size > 0));
  };

  const list = uploads.list();
  const sent = list.filter(({ state }) => state === "sent").length;
  return (
    <>
      <PageHeading title="Upload">Upload</PageHeading>
      <label
        class={`drop${isOver ? " drop-over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => {
          setOver(false);
        }}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          add(event.dataTransfer?.files);
        }}
      >
        <span>
          Drop files here, or choose them. They go in parts: an upload that was broken off goes on
          when the same file is chosen again.
        </span>
        <input
          type="file"
          multiple
          onChange={(event) => {
            add(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
      </label>
      {empty.length > 0 && (
        <p class="notice notice-bad" role="alert">
          Not uploaded, because empty: {empty.join(", ")}
        </p>
      )}
      <p role="status" class="muted">
        {list.length > 0 && `${sent} of ${list.length} stored`}
      </p>
      <ul class="plain">
        {list.map((transfer) => (
          <UploadRow key={transfer.id} transfer={transfer} uploads={uploads} />
        ))}
      </ul>
    </>
  );
}
