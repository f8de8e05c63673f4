#!/usr/bin/env node
import { launch } from '@firmproof/protocol/launch';

await launch(new URL('../src/cli/main.ts', import.meta.url));
