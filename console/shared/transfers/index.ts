export { type Memory, openMemory } from "./memory";
export type { Transfer, TransferState } from "./transfer";
export { openTransfers, type Transfers, type TransfersOptions } from "./transfers";
