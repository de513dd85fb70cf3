import { useState } from "preact/hooks";
import { type ApiError, asApiError } from "../shared/apiError";
import { managerApi } from "./api/api";
import { ErrorNotice, PageHeading } from "./ui/parts";

/** Asks for the manager's key, and tries it. */
export function SignIn(props: {
  baseUrl: string;
  /** Why the key that was in use is not any more. */
  refusal?: ApiError;
  onKey: (key: string) => void;
}) {
  const { baseUrl, refusal, onKey } = props;
  const [error, setError] = useState(refusal);
  const [isBusy, setBusy] = useState(false);

  const tryKey = async (form: HTMLFormElement) => {
    const key = new FormData(form).get("key");
    if (typeof key !== "string" || key.trim() === "") {
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      // The cheapest of the routes.
      const api = managerApi(baseUrl, key.trim(), () => undefined);
      await api.events({ status: "failed", limit: 1 });
      onKey(key.trim());
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <PageHeading title="Sign in">Console</PageHeading>
      <form
        class="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void tryKey(event.currentTarget);
        }}
      >
        <label class="wide">
          Manager key
          <input
            name="key"
            type="password"
            autocomplete="off"
            required
            aria-describedby="key-help"
            aria-invalid={error?.status === 403}
          />
        </label>
        <p id="key-help" class="muted wide">
          The stack’s output <code>managerApiKey</code>, which <code>npm start</code> prints, and{" "}
          <code>npx pulumi stack output managerApiKey --show-secrets</code>. It stays in this tab.
        </p>
        {error?.status === 403 ? (
          <div class="notice notice-bad wide" role="alert">
            <p>The key is wrong.</p>
            <p class="muted">
              {error.message} ({error.status} {error.code})
            </p>
          </div>
        ) : (
          error && <ErrorNotice error={error} />
        )}
        <div class="actions">
          <button type="submit" class="primary" disabled={isBusy}>
            {isBusy ? "Trying the key…" : "Sign in"}
          </button>
        </div>
      </form>
    </main>
  );
}
