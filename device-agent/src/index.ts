export { type Agent, loadAgent, openAgent } from './agent.ts';
export { type CheckResult, check, heldTrustRoot } from './check.ts';
export { type AgentConfig, readConfig } from './config.ts';
export { confirm, type InstallResult, install, resume } from './install.ts';
export { type Round, run } from './run.ts';
export { type Status, statusOf } from './status.ts';
