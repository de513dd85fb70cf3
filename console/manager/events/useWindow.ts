import { type RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows above and below the visible ones that are rendered, too: for the keyboard, and for quick scrolling. */
const OVERSCAN = 12;

/** Pixels; until a row is there to be measured. */
const FIRST_HEIGHT = 48;

/** Rows that are rendered, and those that are visible: from (inclusive), to (exclusive). */
export interface RowWindow {
  start: number;
  end: number;
  firstVisible: number;
  lastVisible: number;
  /** Pixels. */
  rowHeight: number;
}

function windowOf(element: HTMLElement | null, count: number): RowWindow {
  const row = element?.querySelector<HTMLElement>("[aria-rowindex]");
  const rowHeight = row?.offsetHeight ?? FIRST_HEIGHT;
  const above = element ? -element.getBoundingClientRect().top : 0;
  const within = (index: number) => Math.max(0, Math.min(count, index));
  const firstVisible = within(Math.floor(above / rowHeight));
  const lastVisible = within(Math.ceil((above + innerHeight) / rowHeight));
  return {
    start: within(firstVisible - OVERSCAN),
    end: within(lastVisible + OVERSCAN),
    firstVisible,
    lastVisible,
    rowHeight,
  };
}

function isSame(a: RowWindow, b: RowWindow): boolean {
  return (
    a.start === b.start &&
    a.end === b.end &&
    a.firstVisible === b.firstVisible &&
    a.lastVisible === b.lastVisible &&
    a.rowHeight === b.rowHeight
  );
}

/**
 * Which rows of a long list to render, as the page is scrolled: a list of thousands costs no more
 * than a screen of rows. All rows are of one height.
 *
 * @param element has the rows
 */
export function useWindow(element: RefObject<HTMLElement>, count: number): RowWindow {
  const [shown, setShown] = useState<RowWindow>(() => windowOf(null, count));
  const counted = useRef(count);
  counted.current = count;

  const measure = () => {
    const next = windowOf(element.current, counted.current);
    setShown((before) => (isSame(before, next) ? before : next));
  };

  useLayoutEffect(measure, [count]);
  useEffect(() => {
    let frame = 0;
    const onChange = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(measure);
    };
    addEventListener("scroll", onChange, { passive: true });
    addEventListener("resize", onChange);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", onChange);
      removeEventListener("resize", onChange);
    };
  }, []);

  return { ...shown, start: Math.min(shown.start, count), end: Math.min(shown.end, count) };
}
