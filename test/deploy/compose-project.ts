// deploy/docker-compose.yml on an engine of its own: the folder that it is built from, the commands that people type, and what the
// engine says of the containers.

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { home } from '../support/skein-command';
import { importBaseImages } from './base-images';
import { LoneEngine } from './lone-engine';

const run = promisify(execFile);
const limitMs = 240_000;

export interface Container {
  readonly name: string;
  readonly service: string;
  readonly number: number;
  readonly health: string;
  readonly state: string;
}

export class ComposeProject {
  #token = '';

  private constructor(
    readonly engine: LoneEngine,
    private readonly file: string,
  ) {}

  /** What there is before the first `up`: an engine, base images, and a clone's files with its bundles in place of its sources. */
  static async prepare(): Promise<ComposeProject> {
    const engine = await LoneEngine.start();
    try {
      const clone = join(engine.folder, 'clone');
      mkdirSync(clone);
      cpSync(join(home, 'deploy'), join(clone, 'deploy'), { recursive: true });
      cpSync(join(home, '.dockerignore'), join(clone, '.dockerignore'));
      const prepared = join(clone, 'prepared');
      execFileSync(process.execPath, [join(home, 'tools/release.mjs'), prepared]);
      await importBaseImages(engine.client);
      return new ComposeProject(engine, join(clone, 'deploy/docker-compose.yml'));
    } catch (thrown) {
      await engine.stop();
      throw thrown;
    }
  }

  /** `docker-compose -f deploy/docker-compose.yml …`; answers standard output. */
  async compose(...args: readonly string[]): Promise<string> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.engine.folder,
      DOCKER_HOST: `unix://${this.engine.socket}`,
      // The builder of this engine's own age: the newer one is a plugin that few machines have.
      DOCKER_BUILDKIT: '0',
      COMPOSE_HTTP_TIMEOUT: '200',
    };
    const options = { env, timeout: limitMs, maxBuffer: 16 << 20 };
    const { stdout } = await run('docker-compose', ['-f', this.file, ...args], options);
    return stdout;
  }

  /** The clone's own command line, where the project's port is published, with the token that the project made. */
  async skein(...args: readonly string[]): Promise<string> {
    this.#token ||= await this.handedOut('client.env');
    const [nsenter = '', ...inside] = this.engine.inside;
    const cli = [process.execPath, join(home, 'dist/cli.js')];
    const env = {
      PATH: process.env['PATH'] ?? '',
      SKEIN_URL: 'http://127.0.0.1:8480',
      SKEIN_TOKEN: this.#token.trim().replace('SKEIN_TOKEN=', ''),
    };
    const { stdout } = await run(nsenter, [...inside, ...cli, ...args], { env, timeout: limitMs });
    return stdout;
  }

  /** What the init container has put where people find it. */
  handedOut(file: string): Promise<string> {
    return this.compose('run', '--rm', '-T', '--entrypoint', 'cat', 'skein', `/keys/${file}`);
  }

  /** As `docker-compose exec` does, which takes a second to think. */
  async inside(service: string, number: number, ...command: readonly string[]): Promise<string> {
    const labels = { service, 'container-number': number };
    const filters = Object.entries(labels).flatMap(([label, value]) => [
      '--filter',
      `label=com.docker.compose.${label}=${value}`,
    ]);
    const id = await this.engine.client.run('ps', '-q', ...filters);
    return this.engine.client.run('exec', id, ...command);
  }

  async containers(): Promise<Container[]> {
    const label = (name: string) => `{{index .Config.Labels "com.docker.compose.${name}"}}`;
    const health = '{{if .State.Health}}{{.State.Health.Status}}{{end}}';
    const parts = ['{{.Name}}', label('service'), label('container-number'), health];
    const text = await this.#inspect([...parts, '{{.State.Status}}'].join('\t'));
    return text.map((line) => {
      const [name = '', service = '', number = '', of = '', state = ''] = line.split('\t');
      return { name: name.slice(1), service, number: Number(number), health: of, state };
    });
  }

  /** One line a container. */
  async #inspect(format: string): Promise<string[]> {
    const { client } = this.engine;
    const ids = (await client.run('ps', '-a', '-q')).split('\n').filter((id) => id !== '');
    if (ids.length === 0) return [];
    return (await client.run('inspect', '--format', format, ...ids)).split('\n');
  }

  /** What each container may do, by service. */
  async limits(): Promise<Map<string, { user: string; isReadOnly: boolean; adds: string[] }>> {
    const format = '{{json .Config.Labels}}\t{{json .Config.User}}\t{{json .HostConfig}}';
    const found = (await this.#inspect(format)).map((line) => {
      const [labels, user, host] = line.split('\t').map((part) => JSON.parse(part));
      const { ReadonlyRootfs: isReadOnly, CapAdd, CapDrop, Privileged, Memory } = host;
      const isBound = CapDrop?.includes('ALL') && !Privileged && Memory > 0;
      const limits = { user, isReadOnly: isReadOnly && isBound, adds: CapAdd ?? [] };
      return [labels['com.docker.compose.service'], limits] as const;
    });
    return new Map(found);
  }

  stop(): Promise<void> {
    return this.engine.stop();
  }
}
