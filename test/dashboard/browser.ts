// The machine's own Chromium for a test file, with a profile that goes when it ends. Every fault that the page tells its console
// is kept, so that a test can say that there was none.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import axe from 'axe-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
export const chromiumIsMissing = executablePath === undefined;

export class Browser {
  readonly faults: string[] = [];

  private constructor(
    private readonly context: BrowserContext,
    private readonly profile: string,
    readonly page: Page,
  ) {
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      // Answers of a gateway that is away, or that has no leader, are told there by the browser itself.
      const isAnswer = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isAnswer) this.faults.push(message.text());
    });
  }

  static async open(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'skein-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      ...(executablePath === undefined ? {} : { executablePath }),
      headless: true,
      viewport: { width: 1_366, height: 860 },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(30_000);
    return new Browser(context, profile, page);
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
  }

  /** What axe finds wrong with the page as it is, a line each. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(axeSource);
    const found = await this.page.evaluate(async () => {
      const runner = (globalThis as unknown as { axe: typeof axe }).axe;
      const { violations } = await runner.run();
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
      );
    });
    return found;
  }
}

const axeSource = axe.source;
