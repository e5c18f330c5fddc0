// Fifty hosts with a thousand endpoints, as the page sees them: real services and a real gateway, agents played by the test, and nothing in
// any kernel.

import { RegistryStack, type PlayedAgent } from '../registry/registry-stack';
import { startGateway, type GatewayProcess } from '../gateway/gateway-process';

export const hostCount = 50;
export const endpointCount = 1_000;
const networkNames = ['web', 'db', 'queue', 'cache', 'metrics', 'build', 'mail', 'lab'];
/** One large network, some middling ones, and small ones that touch few hosts. */
const sizes = [400, 200, 150, 100, 80, 40, 20, 10];
const perRequest = 100;

export class LargeCluster {
  private constructor(
    readonly stack: RegistryStack,
    readonly gateway: GatewayProcess,
    readonly agents: readonly PlayedAgent[],
  ) {}

  static async start(): Promise<LargeCluster> {
    const stack = await RegistryStack.start(() => ({ SKEIN_CHECK_REPLIES: '0' }));
    await stack.registry('registry-1');
    const gateway = await startGateway(stack.nats.url, {}, { withPage: true });
    const numbers = Array.from({ length: hostCount }, (_, index) => index + 1);
    const agents: PlayedAgent[] = [];
    for (const number of numbers) {
      agents.push(await stack.agent(`node-${String(number).padStart(2, '0')}`, number));
    }
    const cluster = new LargeCluster(stack, gateway, agents);
    for (const agent of agents) {
      agent.alive = agents.filter((other) => other !== agent).map(({ id }) => id);
    }
    await cluster.#attachAll();
    cluster.#findWays();
    return cluster;
  }

  async stop(): Promise<void> {
    await this.gateway?.stop();
    await this.stack.stop();
  }

  async attach(network: string, name: string): Promise<void> {
    const host = this.agents[0]?.id;
    await this.#post(`/v1/networks/${network}/endpoints`, { host, name });
  }

  async #attachAll(): Promise<void> {
    for (const [at, name] of networkNames.entries()) {
      const size = sizes[at] ?? 0;
      await this.#post('/v1/networks', { name, subnets: [{ cidr: `10.${at + 1}.0.0/22` }] });
      const reach = Math.min(hostCount, Math.max(4, Math.ceil(size / 4)));
      const endpoints = Array.from({ length: size }, (_, index) => ({
        host: this.agents[(index * 7 + at * 5) % reach]?.id,
        name: `${name}-${index + 1}`,
      }));
      for (let from = 0; from < size; from += perRequest) {
        const body = { endpoints: endpoints.slice(from, from + perRequest) };
        await this.#post(`/v1/networks/${name}/endpoints:batch`, body);
      }
    }
  }

  /** Everybody reaches everybody, but for one way that carries small frames only and one that carries nothing. */
  #findWays(): void {
    for (const [index, agent] of this.agents.entries()) {
      agent.reachability = this.agents
        .filter((other) => other !== agent)
        .map(({ id }, at) => ({
          ...{ host: id, network: agent.share.networks[0]?.id ?? 'none', rttMs: 0.2 },
          state: index === 3 && at === 10 ? 'small' : index === 20 && at === 2 ? 'none' : 'ok',
        }));
    }
  }

  async #post(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.gateway.fetch(path, { method: 'POST', body });
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
  }
}
