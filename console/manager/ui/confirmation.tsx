import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError } from "../../shared/apiError";
import { ErrorNotice } from "./parts";

export interface ConfirmationProps {
  title: string;
  children: ComponentChildren;
  /** Of the button that confirms. */
  action: string;
  /** Of the button that closes the dialog. @default "Cancel" */
  cancel?: string;
  isDangerous?: boolean;
  /** The button does not work (yet). */
  isDisabled?: boolean;
  /** Does it; an error that it throws is shown. */
  confirm: () => Promise<void>;
  close: () => void;
}

/** A modal dialog that asks before something is done. */
export function Confirmation(props: ConfirmationProps) {
  const {
    title,
    children,
    action,
    cancel = "Cancel",
    isDangerous,
    isDisabled,
    confirm,
    close,
  } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  const onConfirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await confirm();
    } catch (thrown) {
      setError(asApiError(thrown));
      setBusy(false);
    }
  };

  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <h2 id={heading}>{title}</h2>
      {children}
      {error && <ErrorNotice error={error} />}
      <div class="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          {cancel}
        </button>
        <button
          type="button"
          class={isDangerous ? "danger" : "primary"}
          disabled={isBusy || isDisabled}
          onClick={() => void onConfirm()}
        >
          {isBusy ? "Working…" : action}
        </button>
      </div>
    </dialog>
  );
}
