import { useState } from "preact/hooks";
import { asApiError } from "../../shared/apiError";
import { bytesText, countText } from "../../shared/units";
import type { UploadLink } from "../api/answers";
import { eventsHref, linkHref } from "../route";
import { Confirmation } from "../ui/confirmation";
import { useSession } from "../ui/context";
import { CopyButton, Facts, Time } from "../ui/parts";

const STATUS_TEXT: Record<UploadLink["status"], string> = {
  open: "open",
  expired: "expired",
  revoked: "revoked",
  used_up: "used up",
};

/** What a link is called: its note, or else its id. */
export function linkName({ note, link_id }: UploadLink): string {
  return note ?? link_id;
}

function filesText({ files, max_files }: UploadLink): string {
  const most = max_files === undefined ? "" : ` of at most ${countText(max_files)}`;
  const underway = files.taken - files.stored;
  return (
    `${countText(files.stored)}${most} stored` +
    (underway > 0 ? `, ${countText(underway)} under way` : "")
  );
}

/** A link, with what can be done with it. */
export function LinkCard({
  link,
  onChange,
}: {
  link: UploadLink;
  onChange: (link: UploadLink) => void;
}) {
  const { api, notify } = useSession();
  const [isRevoking, setRevoking] = useState(false);
  const { link_id, url, status, metadata = {} } = link;
  const name = linkName(link);

  const revoke = async () => {
    onChange(await api.revokeLink(link_id));
    notify({ text: `Revoked: ${name}` });
    setRevoking(false);
  };

  return (
    <article class="card" aria-label={name}>
      <div class="heading">
        <h2>
          <a href={linkHref(link_id)}>
            <bdi>{name}</bdi>
          </a>
        </h2>
        <span class={`badge badge-link-${status}`}>{STATUS_TEXT[status]}</span>
      </div>
      <p class="url">
        <input
          readOnly
          value={url}
          aria-label={`URL of ${name}`}
          onFocus={(e) => {
            e.currentTarget.select();
          }}
        />
        <CopyButton text={url} what={`the URL of ${name}`} />
      </p>
      <Facts
        facts={[
          ["Files", filesText(link)],
          ["Expires", <Time key="expires" iso={link.expires_at} />],
          ["Created", <Time key="created" iso={link.created_at} />],
          ["Revoked", link.revoked_at && <Time key="revoked" iso={link.revoked_at} />],
          ["Largest file", link.max_bytes === undefined ? "" : bytesText(link.max_bytes)],
          ["Types", link.content_types?.join(", ")],
          [
            "Metadata",
            Object.entries(metadata)
              .map(([key, value]) => `${key}: ${value}`)
              .join(", "),
          ],
        ]}
      />
      <div class="actions">
        <a class="button" href={eventsHref({ link_id })}>
          Files
        </a>
        {status !== "revoked" && (
          <button
            type="button"
            class="danger"
            onClick={() => {
              setRevoking(true);
            }}
          >
            Revoke…
          </button>
        )}
      </div>
      {isRevoking && (
        <Confirmation
          title="Revoke the link?"
          action="Revoke"
          isDangerous
          confirm={async () => {
            try {
              await revoke();
            } catch (error) {
              throw asApiError(error);
            }
          }}
          close={() => {
            setRevoking(false);
          }}
        >
          <p>
            Nobody can upload by <bdi>{name}</bdi> any more, for good. Its stored files stay.
          </p>
        </Confirmation>
      )}
    </article>
  );
}
