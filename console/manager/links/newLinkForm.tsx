import { useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../shared/apiError";
import type { UploadLink } from "../api/answers";
import { useSession } from "../ui/context";
import { ErrorNotice } from "../ui/parts";
import { newLinkOf } from "./newLink";

const DAY = 24 * 60 * 60;

const DEFAULT_LIFETIME = 7 * DAY;

const LIFETIMES: [name: string, seconds: number][] = [
  ["1 hour", 60 * 60],
  ["1 day", DAY],
  ["3 days", 3 * DAY],
  ["7 days", 7 * DAY],
  ["30 days", 30 * DAY],
];

/** Creates a link. */
export function NewLinkForm({ onCreated }: { onCreated: (link: UploadLink) => void }) {
  const { api } = useSession();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const [createdCount, setCreatedCount] = useState(0);

  const create = async (form: HTMLFormElement) => {
    setBusy(true);
    setError(undefined);
    try {
      onCreated(await api.createLink(newLinkOf(new FormData(form))));
      form.reset();
      setCreatedCount((before) => before + 1);
    } catch (thrown) {
      setError(asApiError(thrown));
    }
    setBusy(false);
  };

  return (
    <form
      class="card form"
      onSubmit={(event) => {
        event.preventDefault();
        void create(event.currentTarget);
      }}
    >
      <h2>New link</h2>
      <label class="wide">
        Note, shown to those who upload
        <input name="note" maxLength={500} placeholder="Photos of the summer party" />
      </label>
      <label>
        Expires in
        {/* A new one after each link: a reset would choose its first option. */}
        <select key={createdCount} name="expires_in">
          {LIFETIMES.map(([name, seconds]) => (
            <option key={name} value={seconds} selected={seconds === DEFAULT_LIFETIME}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Most files
        <input name="max_files" type="number" min="1" step="1" placeholder="any number" />
      </label>
      <label>
        Largest file, in MB
        <input name="megabytes" type="number" min="0.001" step="any" placeholder="no limit" />
      </label>
      <label>
        Types
        <input name="content_types" placeholder="image/*, text/csv" />
      </label>
      <label class="wide">
        Metadata of each file, one “name: value” on each line
        <textarea name="metadata" rows={2} placeholder="customer: 4711" />
      </label>
      {error && <ErrorNotice error={error} />}
      <div class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Creating…" : "Create the link"}
        </button>
      </div>
    </form>
  );
}
