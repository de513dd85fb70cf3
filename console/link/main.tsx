import { render } from "preact";
import { pageElement } from "../shared/page";

import "../shared/shared.css";
import "./page.css";

function App() {
  return (
    <main>
      <h1>Upload files</h1>
    </main>
  );
}

render(<App />, pageElement());
