// One message may serve several requests at once. It stands under the id of the first, and names the others, so that each of them is found
// in the log of whoever answers it.

export interface OnBehalfOf {
  readonly requestId?: string | undefined;
  /** Ids of further requests that this one serves as well. */
  readonly alsoFor?: readonly string[] | undefined;
}

/** What headers have room for, in characters; those beyond it are not named. */
const maxNamed = 640;

export function onBehalfOf(ids: Iterable<string | undefined>): OnBehalfOf {
  const [requestId, ...others] = new Set([...ids].filter((id) => id !== undefined));
  let room = maxNamed;
  const alsoFor = others.filter((id) => (room -= id.length + 1) >= 0);
  return { requestId, ...(alsoFor.length === 0 ? {} : { alsoFor }) };
}
