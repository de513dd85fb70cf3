/** Failures that are nobody's to mend: the operators get no alarm about them. */

/** The object's key was written again before the event was processed. */
export const OBJECT_REPLACED = "ObjectReplaced";

/** The file's type is not the declared one, or not allowed; see the setting `rejectMismatch`. */
export const TYPE_MISMATCH = "TypeMismatch";

/** Whether a failure with this code is published as an alarm. */
export function isAlarming(code: string): boolean {
  return code !== OBJECT_REPLACED && code !== TYPE_MISMATCH;
}

/** Whether a retry can have another outcome. The overwritten bytes are gone for good. */
export function isRetryable(code: string | undefined): boolean {
  return code !== OBJECT_REPLACED;
}
