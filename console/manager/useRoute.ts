import { useEffect, useState } from "preact/hooks";
import { type Route, routeOf } from "./route";

/** Goes to a page of the console without a new entry in the browser's history. */
export function replaceRoute(href: string): void {
  history.replaceState(null, "", href);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The route in the URL's fragment, as it changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => {
      setHash(location.hash);
    };
    addEventListener("hashchange", onChange);
    return () => {
      removeEventListener("hashchange", onChange);
    };
  }, []);
  return routeOf(hash);
}
