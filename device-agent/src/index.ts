export { type Agent, openAgent } from './agent.ts';
export { type CheckResult, check, heldTrustRoot } from './check.ts';
export { type AgentConfig, readConfig } from './config.ts';
export { confirm, type InstallResult, install, resume } from './install.ts';
