export { type Agent, loadAgent, openAgent } from './agent.ts';
export { type CheckResult, check } from './check.ts';
export { type MonotonicTime, machineTime } from './clock.ts';
export { type AgentConfig, readConfig } from './config.ts';
export { confirm, type InstallResult, install, resume } from './install.ts';
export { sendReceipts } from './receipts/send.ts';
export { type Round, run } from './run.ts';
export { type Status, statusOf } from './status.ts';
export { heldTrustRoot } from './trust.ts';
