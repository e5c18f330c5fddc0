// NATS' configuration of a local cluster: an account for the services, one for people, and one a host that can reach
// nothing but that host's own subjects (a host knows only what it needs).

import type { LocalLayout, NatsAccount } from './layout';

interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export function agentPermissions(hostId: string, account: NatsAccount): Permissions {
  return {
    publish: [
      'skein.v1.registry.register-host',
      'skein.v1.registry.heartbeat',
      'skein.v1.event.kernel.repaired',
    ],
    subscribe: [`skein.v1.host-agent.${hostId}.>`, `${account.inboxPrefix}.>`, '$SRV.>'],
  };
}

const list = (subjects: readonly string[]) =>
  subjects.map((subject) => JSON.stringify(subject)).join(', ');

function user(account: NatsAccount, permissions?: Permissions): string {
  const login = `user: ${JSON.stringify(account.user)}, password: ${JSON.stringify(account.password)}`;
  if (permissions === undefined) return `    { ${login} }`;
  return [
    `    { ${login}, permissions: {`,
    `        publish: [${list(permissions.publish)}]`,
    `        subscribe: [${list(permissions.subscribe)}]`,
    '        allow_responses: { max: 1, expires: "1m" }',
    '    } }',
  ].join('\n');
}

export function natsConfiguration(layout: LocalLayout, port: number): string {
  const agents = layout.hosts.map((host) => {
    const account = layout.agents[host.id] as NatsAccount;
    return user(account, agentPermissions(host.id, account));
  });
  return [
    `server_name: ${layout.clusterId}`,
    `listen: "0.0.0.0:${port}"`,
    'max_payload: 4MB',
    'write_deadline: "5s"',
    'authorization {',
    '  users = [',
    [user(layout.services), user(layout.people), ...agents].join('\n'),
    '  ]',
    '}',
    '',
  ].join('\n');
}
