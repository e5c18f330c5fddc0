// The link that opens the gateway's page: its token stands in the fragment, which no browser sends and no log sees.

export function pageLink({ url, token }: { readonly url: string; readonly token: string }): string {
  return `${url}/#token=${encodeURIComponent(token)}`;
}
