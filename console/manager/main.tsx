import { render } from "preact";
import { pageElement } from "../shared/page";

import "../shared/shared.css";
import "./page.css";

function App() {
  return (
    <main>
      <h1>Console</h1>
    </main>
  );
}

render(<App />, pageElement());
