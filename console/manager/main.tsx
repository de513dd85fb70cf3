import { render } from "preact";
import { pageElement } from "../shared/page";
import { App } from "./app";

import "../shared/shared.css";
import "./page.css";

// Each page of the console keeps its own place.
history.scrollRestoration = "manual";

render(<App />, pageElement());
