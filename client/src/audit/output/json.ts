import type { Audit } from '../audit.ts';

/** One line of JSON: the summary, with the releases and, where asked for, all events; piece by piece. */
export function* jsonOf(audit: Audit, options: { readonly events: boolean }): Generator<string> {
  yield `${JSON.stringify(audit.summary).slice(0, -1)},"releases":[`;
  yield* separated(audit.releases());
  yield ']';
  if (options.events) {
    yield ',"events":[';
    yield* separated(audit.events());
    yield ']';
  }
  yield '}\n';
}

function* separated(items: Iterable<object>): Generator<string> {
  let isFirst = true;
  for (const item of items) {
    yield `${isFirst ? '' : ','}${JSON.stringify(item)}`;
    isFirst = false;
  }
}
