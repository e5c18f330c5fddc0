// The docker command of an engine, as a person uses it: by its socket, without the caller's own settings and contexts.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '@skein/contracts';

export interface DockerAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** From the command's start to its end. */
  readonly tookMs: number;
}

const timeoutMs = 60_000;

export class DockerClient {
  readonly #env: NodeJS.ProcessEnv;
  readonly #docker: string;

  constructor(
    readonly socket: string,
    path = process.env['PATH'] ?? '',
  ) {
    this.#docker = engineOwnClient(path);
    // A folder that is not there has no settings.
    const DOCKER_CONFIG = `${socket}.config`;
    this.#env = {
      PATH: path,
      DOCKER_HOST: `unix://${socket}`,
      DOCKER_CONFIG,
      COMPOSE_PROFILES: '',
    };
  }

  /** Whatever comes of it. */
  async try(...args: readonly string[]): Promise<DockerAnswer> {
    return this.command(this.#docker, args);
  }

  /** Standard output without the last line break; throws `internal` with the engine's words if the command fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(...args);
    if (code === 0) return stdout.trimEnd();
    throw new SkeinError(
      'internal',
      `docker ${args.join(' ')} ended with ${code}: ${stderr.trim()}`,
    );
  }

  /** docker-compose, for this engine. */
  compose(folder: string, ...args: readonly string[]): Promise<DockerAnswer> {
    return this.command('docker-compose', args, folder);
  }

  command(program: string, args: readonly string[], cwd?: string): Promise<DockerAnswer> {
    const startedAt = performance.now();
    const options = { env: this.#env, timeout: timeoutMs, maxBuffer: 16 << 20, cwd };
    return new Promise((resolve) => {
      const child = execFile(program, args, options, (error, stdout, stderr) => {
        const words = stderr === '' && error !== null ? error.message : stderr;
        const code = error === null ? 0 : (child.exitCode ?? 255);
        resolve({ code, stdout, stderr: words, tookMs: performance.now() - startedAt });
      });
    });
  }

  /** `tar -C folder -c . | docker import - image`. */
  async importFolder(folder: string, image: string): Promise<void> {
    const tar = spawn('tar', ['-C', folder, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const docker = spawn(this.#docker, ['import', '-', image], {
      env: this.#env,
      stdio: [tar.stdout, 'ignore', 'pipe'],
    });
    const said: Buffer[] = [];
    docker.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const code = await new Promise((resolve) => {
      docker.once('error', (error) => resolve(error.message));
      docker.once('close', resolve);
    });
    if (code === 0) return;
    throw new SkeinError('internal', `docker import ended with ${code}: ${Buffer.concat(said)}`);
  }
}

/** The docker that came with the engine, as another release of it may want what this engine has not; else that of PATH. */
function engineOwnClient(path: string): string {
  const folders = `${path}:/usr/sbin:/sbin`.split(':');
  const engine = folders.find((folder) => existsSync(join(folder, 'dockerd')));
  const beside = join(engine ?? '', '..', 'bin', 'docker');
  return existsSync(beside) ? beside : 'docker';
}
