/**
 * Makes untrusted text safe for a terminal: replaces control characters, which could move the cursor,
 * and characters that change the direction of writing.
 */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "�");
}
