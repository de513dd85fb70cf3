import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { bytesText } from "../../shared/units";
import { eventHref } from "../route";
import { useSession } from "../ui/context";
import { PageHeading } from "../ui/parts";
import type { Transfer, Transfers } from "./transfers";

const STATES: Record<Transfer["state"], string> = {
  waiting: "Waiting",
  sending: "Uploading",
  paused: "Paused",
  stored: "Stored",
  failed: "Failed",
};

function progressText({ sent, size, speed, state, error }: Transfer): string {
  switch (state) {
    case "stored":
      return `Stored, ${bytesText(size)}`;
    case "failed":
      return `Failed: ${error ?? ""}`;
    default: {
      const rate = speed === undefined ? "" : `, ${bytesText(Math.round(speed))} a second`;
      return `${STATES[state]}: ${bytesText(sent)} of ${bytesText(size)}${rate}`;
    }
  }
}

function TransferRow({ transfer, transfers }: { transfer: Transfer; transfers: Transfers }) {
  const { id, name, size, sent, state, eventId } = transfer;
  const isUnderway = state === "sending" || state === "paused";
  return (
    <li class="card transfer">
      <div class="transfer-name">
        <bdi>{name}</bdi>
      </div>
      {state !== "stored" && state !== "failed" && (
        <progress max={size} value={sent} aria-label={`Upload of ${name}`} />
      )}
      <p class={state === "failed" ? "bad" : "muted"}>{progressText(transfer)}</p>
      <div class="actions">
        {eventId && (
          <a class="button" href={eventHref(eventId)}>
            Event
          </a>
        )}
        {isUnderway && (
          <button
            type="button"
            onClick={() => {
              transfers.pauseOrResume(id);
            }}
            aria-label={`${state === "paused" ? "Resume" : "Pause"} ${name}`}
          >
            {state === "paused" ? "Resume" : "Pause"}
          </button>
        )}
        {state === "failed" && (
          <button
            type="button"
            onClick={() => {
              transfers.retry(id);
            }}
            aria-label={`Retry ${name}`}
          >
            Retry
          </button>
        )}
        <button
          type="button"
          onClick={() => {
            transfers.remove(id);
          }}
          aria-label={`${state === "stored" ? "Remove from the list:" : "Cancel"} ${name}`}
        >
          {state === "stored" ? "Clear" : "Cancel"}
        </button>
      </div>
    </li>
  );
}

/** Uploads of an operator's own files, of any size. */
export function UploadPage() {
  const { transfers } = useSession();
  const [refused, setRefused] = useState<string[]>([]);
  const [isOver, setOver] = useState(false);
  const [, render] = useReducer((count: number) => count + 1, 0);
  const frame = useRef(0);

  useEffect(() => {
    scrollTo(0, 0);
    const unsubscribe = transfers.subscribe(() => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame(() => {
        render(undefined);
      });
    });
    return () => {
      cancelAnimationFrame(frame.current);
      unsubscribe();
    };
  }, []);

  const add = (files: FileList | null | undefined) => {
    setRefused(transfers.add([...(files ?? [])]));
  };

  const list = transfers.list();
  const stored = list.filter(({ state }) => state === "stored").length;
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
        <span>Drop files here, or choose them. Large files go in parts; leave this tab open.</span>
        <input
          type="file"
          multiple
          onChange={(event) => {
            add(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
      </label>
      {refused.map((message) => (
        <p key={message} class="notice notice-bad" role="alert">
          {message}
        </p>
      ))}
      <p role="status" class="muted">
        {list.length > 0 && `${stored} of ${list.length} stored`}
      </p>
      <ul class="plain">
        {list.map((transfer) => (
          <TransferRow key={transfer.id} transfer={transfer} transfers={transfers} />
        ))}
      </ul>
    </>
  );
}
