import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError } from "../shared/apiError";
import { openMemory, type Transfer } from "../shared/transfers";
import { bytesText, timeText } from "../shared/units";
import { acceptOf, refusalOf, typeOf, typesText } from "./checks";
import { Closed } from "./closed";
import { DropArea } from "./dropArea";
import { FileRow, RefusedRow, reportText } from "./fileRow";
import type { FileReport, LinkApi, UploadLink } from "./link";
import { useReports } from "./useReports";
import { useTransfers } from "./useTransfers";

interface UploadPageProps {
  api: LinkApi;
  link: UploadLink;
  /** Why the link lets nothing in any more. */
  closed: ApiError | undefined;
  /** Asks for the link again. */
  reload: () => void;
}

/** A file that was not taken. */
interface Refused {
  id: number;
  name: string;
  reason: string;
}

const USED_UP = new ApiError(409, "link_used_up", "This link takes no more files.");

/** What the link lets in, as a list. */
function Rules({ link }: { link: UploadLink }) {
  const { expires_at, max_files, files_left, max_bytes, content_types } = link;
  const types = typesText(content_types);
  return (
    <ul class="rules">
      <li>
        Open until <time dateTime={expires_at}>{timeText(expires_at)}</time>
      </li>
      {max_files !== undefined && (
        <li>
          {max_files === 1 ? "For 1 file" : `For ${max_files} files`}
          {files_left !== undefined && files_left < max_files && `, ${files_left} left`}
        </li>
      )}
      {max_bytes !== undefined && <li>Each at most {bytesText(max_bytes)}</li>}
      {types !== undefined && <li>Only {types}</li>}
    </ul>
  );
}

/** Says that uploads of an earlier visit can be gone on with. */
function Unfinished({ names }: { names: string[] }) {
  const [it, was] = names.length === 1 ? ["it", "it was"] : ["them", "they were"];
  return (
    <p class="muted">
      Unfinished from an earlier visit: <bdi>{names.join(", ")}</bdi>. Choose {it} again to go on
      where {was}.
    </p>
  );
}

/** How many transfers have a place in the link that its `files_left` does not count yet. */
function uncounted(transfers: Transfer[], counted: ReadonlySet<string>): number {
  return transfers.filter(
    ({ id, state, isResumed, wasSentBefore }) =>
      !counted.has(id) && state !== "failed" && !isResumed && !wasSentBefore,
  ).length;
}

/** The page of a link that is known. */
export function UploadPage({ api, link, closed, reload }: UploadPageProps) {
  const [refused, setRefused] = useState<Refused[]>([]);
  // For screen readers, which a progress bar must not interrupt all the time.
  const [announcement, announce] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  const memory = useMemo(() => openMemory(link.link_id), [link.link_id]);
  const [unfinished] = useState(() => memory.unfinished());

  const [transfers, list] = useTransfers(api, memory, {
    onSent: ({ name, eventId }) => {
      announce(`${name} is uploaded`);
      if (eventId !== undefined) {
        watch(eventId);
      }
      reload();
    },
    onFailed: ({ name, error }) => {
      announce(`${name} was not uploaded: ${error?.message ?? ""}`);
      reload();
    },
  });
  const [reports, watch] = useReports(api, (report: FileReport) => {
    const name = list.find(({ eventId }) => eventId === report.event_id)?.name ?? "";
    announce(
      report.status === "processed"
        ? `${name} is processed: ${reportText(report)}`
        : `${name} could not be processed`,
    );
  });

  /** The transfers that `files_left` counts: those that had a place when the link was asked for. */
  const counted = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const placed = (transfers?.list() ?? []).filter(({ eventId }) => eventId !== undefined);
    counted.current = new Set(placed.map(({ id }) => id));
  }, [link, transfers]);

  const add = (files: File[]) => {
    const refusals: Refused[] = [];
    for (const file of files) {
      const others = uncounted(transfers?.list() ?? [], counted.current);
      const isFull = (link.files_left ?? Infinity) - others <= 0 && !memory.find(file);
      const reason = refusalOf(file, typeOf(file), link) ?? (isFull ? USED_UP.message : undefined);
      if (reason === undefined) {
        transfers?.add([file]);
      } else {
        refusals.push({ id: Math.random(), name: file.name, reason });
      }
    }
    setRefused((known) => [...known, ...refusals]);
    const taken = files.length - refusals.length;
    announce(`${taken} of ${files.length} ${files.length === 1 ? "file" : "files"} taken`);
  };

  const onRemoved = (name: string) => {
    announce(`${name} is taken from the list`);
    heading.current?.focus();
  };

  const isFull = link.files_left === 0 && unfinished.length === 0;
  const reason = closed ?? (isFull ? USED_UP : undefined);
  const sentCount = list.filter(({ state }) => state === "sent").length;
  const isEmpty = list.length === 0 && refused.length === 0;
  return (
    <main>
      {link.organisation && <p class="organisation">{link.organisation}</p>}
      <h1>Upload files</h1>
      {link.note && <p class="note">{link.note}</p>}
      <Rules link={link} />
      {reason ? (
        <Closed error={reason} isHeading={false} />
      ) : (
        <DropArea accept={acceptOf(link.content_types)} onFiles={add}>
          {unfinished.length > 0 && isEmpty && <Unfinished names={unfinished} />}
        </DropArea>
      )}
      <p class="hidden" role="status">
        {announcement}
      </p>
      {!isEmpty && (
        <section aria-labelledby="files">
          <h2 id="files" ref={heading} tabIndex={-1}>
            {sentCount} of {list.length} {list.length === 1 ? "file" : "files"} uploaded
          </h2>
          <ul class="plain">
            {refused.map(({ id, name, reason: why }) => (
              <RefusedRow
                key={id}
                name={name}
                reason={why}
                hide={() => {
                  setRefused((known) => known.filter((each) => each.id !== id));
                  onRemoved(name);
                }}
              />
            ))}
            {transfers &&
              list.map((transfer) => (
                <FileRow
                  key={transfer.id}
                  transfer={transfer}
                  transfers={transfers}
                  report={reports.get(transfer.eventId ?? "")}
                  onRemoved={onRemoved}
                />
              ))}
          </ul>
        </section>
      )}
    </main>
  );
}
