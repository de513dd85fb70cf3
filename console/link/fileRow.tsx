import type { Transfer, Transfers } from "../shared/transfers";
import { bytesText, secondsText } from "../shared/units";
import type { FileReport } from "./link";

/** What became of a file, as the program found it. */
export function reportText({ type, size, width, height }: FileReport): string {
  const pixels = width && height ? `${width} × ${height} pixels` : undefined;
  const bytes = size === undefined ? undefined : bytesText(size);
  return [type, bytes, pixels].filter(Boolean).join(", ");
}

interface StateText {
  text: string;
  look?: "good" | "bad" | "warn";
}

function sentText({ wasSentBefore }: Transfer, report: FileReport | undefined): StateText {
  const sent = wasSentBefore ? "Uploaded before, from this browser." : "Uploaded.";
  switch (report?.status) {
    case "processed":
      return { text: `${sent} Processed: ${reportText(report)}.`, look: "good" };
    case "failed":
      return {
        text: `${sent} But its content could not be processed: please ask who sent you the link.`,
        look: "warn",
      };
    default:
      return { text: `${sent} It is being processed.`, look: "good" };
  }
}

/** Such as `45 MB of 300 MB · 12 MB/s · 20 s left · 40 MB were there from before`. */
function progressText({ sentBytes, size, bytesPerSecond, resumedBytes }: Transfer): string {
  const seconds = bytesPerSecond ? (size - sentBytes) / bytesPerSecond : undefined;
  return [
    `${bytesText(sentBytes)} of ${bytesText(size)}`,
    bytesPerSecond !== undefined && `${bytesText(Math.round(bytesPerSecond))}/s`,
    seconds !== undefined && `${secondsText(Math.ceil(seconds))} left`,
    resumedBytes && `goes on from ${bytesText(resumedBytes)} of an earlier visit`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function stateText(transfer: Transfer, report: FileReport | undefined): StateText {
  const { state, error, retryAt, sentBytes, size } = transfer;
  switch (state) {
    case "waiting":
      return { text: `Waiting · ${bytesText(size)}` };
    case "sending":
      return sentBytes >= size
        ? { text: `${bytesText(size)} · being put together` }
        : { text: progressText(transfer) };
    case "paused":
      return { text: `Paused · ${progressText(transfer)}` };
    case "interrupted": {
      const seconds = Math.max(0, Math.ceil(((retryAt ?? 0) - Date.now()) / 1000));
      return { text: `${error?.message ?? ""} Goes on by itself in ${seconds} s.`, look: "warn" };
    }
    case "failed":
      return { text: error?.message ?? "", look: "bad" };
    case "sent":
      return sentText(transfer, report);
  }
}

interface FileRowProps {
  transfer: Transfer;
  transfers: Transfers;
  report: FileReport | undefined;
  /** Called with its name after it was taken from the list. */
  onRemoved: (name: string) => void;
}

/** One file on its way. */
export function FileRow({ transfer, transfers, report, onRemoved }: FileRowProps) {
  const { id, name, state, sentBytes, size, wasSentBefore } = transfer;
  const { text, look = "" } = stateText(transfer, report);
  const button = (label: string, act: () => void) => (
    <button type="button" class="quiet" aria-label={`${label} ${name}`} onClick={act}>
      {label}
    </button>
  );
  const remove = () => {
    transfers.cancel(id);
    onRemoved(name);
  };
  return (
    <li class="card file">
      <span class="name">
        <bdi>{name}</bdi>
      </span>
      <span class="buttons">
        {state === "sending" &&
          sentBytes < size &&
          button("Pause", () => {
            transfers.pause(id);
          })}
        {state === "paused" &&
          button("Resume", () => {
            transfers.resume(id);
          })}
        {(state === "interrupted" || state === "failed") &&
          button("Retry", () => {
            transfers.retry(id);
          })}
        {wasSentBefore &&
          button("Send again", () => {
            transfers.retry(id);
          })}
        {button(state === "sent" ? "Hide" : "Cancel", remove)}
      </span>
      {state !== "sent" && (
        <progress aria-label={`Upload of ${name}`} max={size} value={sentBytes} />
      )}
      <span class={`state ${look}`}>{text}</span>
    </li>
  );
}

interface RefusedRowProps {
  name: string;
  /** As a sentence. */
  reason: string;
  hide: () => void;
}

/** One file that is not sent. */
export function RefusedRow({ name, reason, hide }: RefusedRowProps) {
  return (
    <li class="card file">
      <span class="name">
        <bdi>{name}</bdi>
      </span>
      <span class="buttons">
        <button type="button" class="quiet" aria-label={`Hide ${name}`} onClick={hide}>
          Hide
        </button>
      </span>
      <span class="state bad">Not uploaded: {reason}</span>
    </li>
  );
}
