import { useCallback, useEffect, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../shared/apiError";
import type { LinkApi, UploadLink } from "./link";

/** Codes of links that let nothing in any more. */
const CLOSED = ["forbidden", "link_expired", "link_revoked", "link_used_up"];

export interface LinkState {
  /** As told last; undefined: not told yet. */
  link?: UploadLink;
  /** Why the link lets nothing in. */
  closed?: ApiError;
  /** Why nothing is known of it; not once it is. */
  error?: ApiError;
  /** Asks again. */
  reload: () => void;
}

/** Asks for the link, and again on demand. */
export function useLink(api: LinkApi): LinkState {
  const [state, setState] = useState<Omit<LinkState, "reload">>({});
  const reload = useCallback(() => {
    api
      .link()
      .then((link) => {
        setState({ link });
      })
      .catch((thrown: unknown) => {
        const error = asApiError(thrown);
        setState(({ link }) =>
          CLOSED.includes(error.code) ? { link, closed: error } : { link, error },
        );
      });
  }, [api]);
  useEffect(reload, [reload]);
  return { ...state, reload };
}
