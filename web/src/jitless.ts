import { config } from 'zod';

// zod tries whether it may compile code, which the content security policy forbids and reports. First import of each entry.
config({ jitless: true });
