// The page before fifty hosts and a thousand endpoints: all of it can be seen and read at once, on a desk and on a phone, nobody waits for
// it, and it stays open to everybody.

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { tokens } from '../gateway/gateway-process';
import { describeWherePossible } from '../support/where-possible';
import { Browser, chromiumIsMissing } from './browser';
import { endpointCount, hostCount, LargeCluster } from './large-cluster';

jest.setTimeout(120_000);

let cluster: LargeCluster;
let browser: Browser;

interface Seen {
  readonly hosts: number;
  readonly endpoints: number;
  readonly tunnels: number;
  /** Whether something lies outside of what is shown. */
  readonly isCut: boolean;
  /** Height of the smallest host's name, in pixels of the screen. */
  readonly label: number;
  readonly zoom: number;
}

/** The graph as it is drawn: a canvas has no elements to ask. */
const seen = (): Promise<Seen> =>
  browser.page.evaluate(`(() => {
    const { cy } = document.querySelector('.graph .canvas')._cyreg;
    const box = cy.elements().renderedBoundingBox();
    const hosts = cy.nodes('.host');
    return {
      hosts: hosts.length,
      endpoints: cy.nodes('.endpoint').length,
      tunnels: cy.edges().length,
      isCut: box.x1 < 0 || box.y1 < 0 || box.x2 > cy.width() || box.y2 > cy.height(),
      label: Math.min(...hosts.map((host) => host.numericStyle('font-size') * cy.zoom())),
      zoom: cy.zoom(),
    };
  })()`);

describeWherePossible(chromiumIsMissing ? 'there is no Chromium' : null, 'the page, large', () => {
  beforeAll(async () => {
    cluster = await LargeCluster.start();
    browser = await Browser.open();
    await browser.page.goto(`${cluster.gateway.url}/#token=${tokens.admin}`);
    await browser.page.getByText(`${endpointCount} of ${endpointCount}`).waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await cluster?.stop();
  }, 60_000);

  it.each([
    ['a desk', 1_366, 860],
    ['a phone', 390, 844],
  ])(
    'shows every host and endpoint on %s, with names that can be read',
    async (_, width, height) => {
      await browser.page.setViewportSize({ width, height });
      // Fitted to the window in its own time.
      await expectSoon(
        ({ isCut, endpoints, label }) => !isCut && endpoints === endpointCount && label > 6,
      );
      expect(await seen()).toMatchObject({ hosts: hostCount, endpoints: endpointCount });
      await browser.page.setViewportSize({ width: 1_366, height: 860 });
    },
  );

  it('draws no web of tunnels, but those of a network that is chosen', async () => {
    const { page } = browser;
    expect((await seen()).tunnels).toBe(0);
    await page.getByText('Too many tunnels to draw at once').waitFor();
    await page.getByRole('button', { name: 'lab', exact: true }).click();
    await expectSoon(({ tunnels }) => tunnels === 6);
    await page.getByRole('button', { name: 'lab', exact: true }).click();
    await expectSoon(({ tunnels }) => tunnels === 0);
  });

  it('goes on drawing while the reader zooms and moves, and leaves him his view', async () => {
    const { page } = browser;
    await expectSoon(({ isCut }) => !isCut);
    const canvas = page.locator('.graph .canvas');
    const { x = 0, y = 0, width = 0, height = 0 } = (await canvas.boundingBox()) ?? {};
    const [middle, center] = [x + width / 2, y + height / 2];
    const frames = () =>
      page.evaluate<number>(`new Promise((resolve) => {
        let frames = 0;
        const end = performance.now() + 2000;
        const count = (now) => {
          frames += 1;
          if (now < end) requestAnimationFrame(count);
          else resolve(frames);
        };
        requestAnimationFrame(count);
      })`);
    const atRest = await frames();
    const moving = frames();
    await page.mouse.move(middle, center);
    for (let turn = 0; turn < 6; turn += 1) await page.mouse.wheel(0, -150);
    await page.mouse.down();
    for (let step = 1; step <= 15; step += 1)
      await page.mouse.move(middle + step * 9, center + step);
    await page.mouse.up();
    // Beside what this machine can show just now: it does other things too.
    expect(await moving).toBeGreaterThan(atRest / 6);
    const his = (await seen()).zoom;
    await cluster.attach('lab', 'one-more');
    await page.getByText(`${endpointCount + 1} of ${endpointCount + 1}`).waitFor();
    expect((await seen()).zoom).toBe(his);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await expectSoon(({ isCut, zoom }) => !isCut && zoom < his);
  });

  it('tells in words which of 2,450 ways are in trouble', async () => {
    const { page } = browser;
    await page.getByRole('link', { name: 'Hosts' }).click();
    await page.getByText(/node-04 → node-12: only small frames pass/).waitFor();
    await page.getByText(/node-21 → node-03: nothing passes/).waitFor();
  });

  it('has no barrier when it is large, and told its console of no fault', async () => {
    for (const title of ['Hosts', 'Topology']) {
      await browser.page.getByRole('link', { name: title }).click();
      await browser.page.getByRole('heading', { level: 1, name: title }).waitFor();
      expect(await browser.barriers()).toEqual([]);
    }
    expect(browser.faults).toEqual([]);
  });
});

async function expectSoon(isSo: (now: Seen) => boolean): Promise<void> {
  for (let patience = 100; ; patience -= 1) {
    const now = await seen();
    if (isSo(now)) return;
    if (patience === 0) throw new Error(`not so: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
