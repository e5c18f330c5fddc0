// The token that opens the gateway. It comes in the fragment of a link, which no server and no log ever sees, and stays in this
// tab's session storage; the address bar is cleaned at once.

const storageKey = 'skein-token';

/** The fragment's token and what is left of the fragment: `#token=abc` or `#/raft?token=abc`. */
export function takeToken(fragment: string): { token: string | undefined; rest: string } {
  const match = /[#?&]token=([^&]*)/.exec(fragment);
  if (match === null) return { token: undefined, rest: fragment };
  const rest = fragment.replace(match[0], '').replace(/^#?$/, '');
  return { token: decodeURIComponent(match[1] ?? '') || undefined, rest };
}

export function loadToken(): string | undefined {
  const { token, rest } = takeToken(window.location.hash);
  if (token !== undefined) {
    sessionStorage.setItem(storageKey, token);
    window.history.replaceState(null, '', `${window.location.pathname}${rest}`);
  }
  return sessionStorage.getItem(storageKey) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(storageKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(storageKey);
}
