import type { Target } from "../fuzz";
import { chunks } from "./chunks";
import { filters } from "./filters";
import { forms } from "./forms";
import { policies } from "./policies";
import { signatures } from "./signatures";
import { xml } from "./xml";

/** What reads input of strangers: of clients, and of the program. */
export const TARGETS: Target[] = [chunks, forms, xml, signatures, policies, filters];
