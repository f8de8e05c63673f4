export { type Config, describeConfig, parseConfig } from './config.ts';
export { openApiDocument, operations } from './http/openapi.ts';
export { type RunningServer, startServer } from './server.ts';
