/** A vendor's token stays in this tab: a stolen laptop, another tab or a link that is sent on has none of it (A40). */
const nameOf = (server: string) => `firmproof.audit.token ${server}`;
/** What tokens look like; a paste of something else is told at once, and sent nowhere. */
const tokenForm = /^fp_[A-Za-z0-9_-]{43}$/;

export const isToken = (text: string): boolean => tokenForm.test(text);

/** The token for a server, and for that one alone. */
export function keptToken(server: string): string | null {
  const token = sessionStorage.getItem(nameOf(server));
  return token !== null && isToken(token) ? token : null;
}

export function keepToken(server: string, token: string | null): void {
  if (token === null) sessionStorage.removeItem(nameOf(server));
  else sessionStorage.setItem(nameOf(server), token);
}
