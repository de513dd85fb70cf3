/**
 * Text from elsewhere, safe for a terminal: without control characters, which could move the
 * cursor, and without what turns the direction of writing.
 */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "�");
}
