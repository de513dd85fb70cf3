/** The element of page.html that a page is rendered into. */
export function pageElement(): HTMLElement {
  const element = document.getElementById("page");
  if (!element) {
    throw new Error('page.html has no element "page".');
  }
  return element;
}
