// What an engine knows of a container, as names and labels of its endpoint. Names of engines may hold what no name server serves:
// they are made DNS labels, and what can't be is left out. Pure.

/** A container's attachment to one network object. */
export interface ContainerAttachment {
  readonly containerId: string;
  /** With or without the engine's leading slash. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface EndpointNames {
  readonly name?: string;
  readonly aliases: string[];
  readonly service?: string;
  readonly labels: Record<string, string>;
}

const composeService = 'com.docker.compose.service';
const maxAliases = 16;
const maxLabels = 32;
const longestLabel = 63;
/** Of a container's id, which engines add to its aliases. */
const shortIdLength = 12;

export function endpointNames(attachment: ContainerAttachment): EndpointNames {
  const { containerId, labels } = attachment;
  const name = dnsLabel(attachment.name.replace(/^\//, ''));
  const service = dnsLabel(labels[composeService] ?? '');
  const shortId = containerId.slice(0, shortIdLength);
  // Every container of a service has its name for an alias; as a service it may be had by many.
  const aliases = attachment.aliases
    .filter((alias) => alias !== shortId)
    .flatMap((alias) => dnsLabel(alias) ?? [])
    .filter((alias) => alias !== name && alias !== service);
  return {
    ...(name === undefined ? {} : { name }),
    aliases: [...new Set(aliases)].slice(0, maxAliases),
    ...(service === undefined ? {} : { service }),
    labels: fittingLabels(labels),
  };
}

/** `proj_web.1` is `proj-web-1`; undefined for what leaves nothing. */
export function dnsLabel(text: string): string | undefined {
  const label = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longestLabel)
    .replace(/-+$/, '');
  return label === '' ? undefined : label;
}

function fittingLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const fitting = Object.entries(labels).filter(
    ([key, value]) => key !== '' && key.length <= 128 && value.length <= 1_024,
  );
  return Object.fromEntries(fitting.slice(0, maxLabels));
}
