// The page in a real browser, before a whole cluster: each view with live data, an election seen as it happens, the past, and a
// gateway that goes away and comes back.

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Stack } from '../support/stack';
import { describeWherePossible } from '../support/where-possible';
import { Browser, chromiumIsMissing } from './browser';

jest.setTimeout(90_000);

const lacking = chromiumIsMissing ? 'there is no Chromium' : null;

let stack: Stack;
let browser: Browser;

describeWherePossible(lacking, 'the page, in Chromium', () => {
  beforeAll(async () => {
    stack = await Stack.start({ hosts: 2, restart: true });
    for (const name of ['web', 'db']) await stack.call('POST', '/v1/networks', { name });
    for (const [network, host, name] of attached)
      await stack.call('POST', `/v1/networks/${network}/endpoints`, { host, name });
    browser = await Browser.open();
    await browser.page.goto(`${stack.cluster.url}/#token=${stack.cluster.token}`);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  }, 60_000);

  it('takes the token out of the address, keeps it for the tab, and is live', async () => {
    const { page } = browser;
    await page.getByText('Live', { exact: true }).waitFor();
    expect(page.url()).not.toContain(stack.cluster.token);
    expect(await page.evaluate(`sessionStorage.getItem('skein-token')`)).toBe(stack.cluster.token);
  });

  it('is served under a policy that lets nothing in from elsewhere, its parts for ever', async () => {
    const document = await stack.raw('GET', '/');
    expect(document.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self';",
    );
    expect(document.headers.get('cache-control')).toBe('no-cache');
    const part = /\/assets\/[^"]+\.js/.exec(String(document.body))?.[0] ?? '';
    const { status, headers } = await stack.raw('GET', part);
    expect([status, headers.get('cache-control')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
    ]);
    expect((await stack.raw('GET', '/assets/..%2Findex.html')).status).toBe(404);
  });

  it('shows what is attached, and the way between two', async () => {
    const { page } = await view('Topology');
    await page.getByRole('row', { name: /^a web h1/ }).waitFor();
    await page.getByRole('combobox', { name: /^From/ }).selectOption({ label: 'a · web' });
    await page.getByRole('combobox', { name: /^To/ }).selectOption({ label: 'b · web' });
    await page.getByText('The way is complete').waitFor();
    const steps = page.getByLabel('Steps of the way').getByRole('listitem');
    expect(await steps.count()).toBeGreaterThan(6);
    // What passes between the hosts stands on the tunnel: probes at least.
    const labels = () =>
      page.evaluate<string[]>(
        `document.querySelector('.graph .canvas')._cyreg.cy.edges().map((edge) => edge.data('label'))`,
      );
    const isRate = (label: string) => /^[1-9][0-9.]* k?bit.s$/.test(label);
    for (let patience = 300; !(await labels()).some(isRate); patience -= 1) {
      if (patience === 0) throw new Error(`no rate on a tunnel: ${(await labels()).join(', ')}`);
      await page.waitForTimeout(50);
    }
    // What is attached while one looks comes by itself.
    await stack.call('POST', '/v1/networks/db/endpoints', { host: 'h2', name: 'late' });
    await page.getByRole('row', { name: /^late db h2/ }).waitFor();
  });

  it('shows who holds an address when a cell has the focus, and moves by arrows', async () => {
    const { page } = await view('Addresses');
    await page.getByRole('button', { name: 'web', exact: true }).click();
    const held = page.getByRole('button', { name: /held by a on h1/ });
    await held.focus();
    await page.getByText('on h1', { exact: false }).last().waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('button', { name: /held by b on h2/ }).waitFor();
    const focused = await page.evaluate(`document.activeElement.getAttribute('aria-label')`);
    expect(focused).toContain('held by b on h2');
  });

  it('shows hosts, and which reach which', async () => {
    const { page } = await view('Hosts');
    await page.getByRole('row', { name: /^h2 up/ }).waitFor();
    await page.getByRole('region', { name: 'Reachability, table' }).waitFor();
    await page.getByText('full frames pass').first().waitFor();
  });

  it('shows an election when the leader is killed', async () => {
    const { page } = await view('Raft');
    const leader = page.locator('[data-role=leader]');
    await leader.waitFor();
    const former = String(await leader.getAttribute('data-manager'));
    const term = Number(await page.getByTestId('term').textContent());
    await stack.cluster.control.call('kill', { process: `consensus-${former}` });
    await page.getByText('was elected').waitFor();
    await page.locator(`[data-role=leader]:not([data-manager=${former}])`).waitFor();
    expect(Number(await page.getByTestId('term').textContent())).toBeGreaterThan(term);
  });

  it('hands leadership over once it is confirmed', async () => {
    const { page } = browser;
    const button = page.getByRole('button', { name: /^Make leader/, disabled: false }).first();
    const name = String(await button.textContent()).replace('Make leader of ', '');
    await button.click();
    await page.getByRole('button', { name: `Make ${name} leader` }).click();
    await page.locator(`[data-role=leader][data-manager=${name}]`).waitFor();
  });

  it('goes back in time and to now', async () => {
    const { page } = await view('Timeline');
    const then = page.getByTestId('then');
    await page.getByText(`${attached.length + 1} endpoints`).waitFor();
    const slider = page.getByRole('slider', { name: 'Moment' });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await then.textContent()).toBe('0 hosts, 0 networks, 0 endpoints');
    await page.getByRole('button', { name: /network\.created db/ }).click();
    expect(await then.textContent()).toBe('2 hosts, 2 networks, 0 endpoints');
    await page.getByRole('button', { name: 'Back to now' }).click();
    await page.getByText(`${attached.length + 1} endpoints`).waitFor();
  });

  it('says that the gateway is away, and goes on where it was when it is back', async () => {
    const { page } = await view('Topology');
    await stack.cluster.control.call('stop', { process: 'gateway' });
    await page.getByText('The gateway is away').waitFor();
    await stack.cluster.control.call('start', { process: 'gateway' });
    await page.getByText('Live', { exact: true }).waitFor();
    await stack.call('POST', '/v1/networks/web/endpoints', { host: 'h1', name: 'after' });
    await page.getByRole('row', { name: /^after web h1/ }).waitFor();
  });

  it.each(['Topology', 'Raft', 'Addresses', 'Hosts', 'Timeline'])(
    'has no barrier in %s, in light and dark, on a desk and on a phone',
    async (title) => {
      const { page } = await view(title);
      await page.getByRole('heading', { level: 2 }).first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        expect(await browser.barriers()).toEqual([]);
      }
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await browser.barriers()).toEqual([]);
      const overflow = await page.evaluate(
        `document.documentElement.scrollWidth - window.innerWidth`,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await page.setViewportSize({ width: 1_366, height: 860 });
    },
  );

  it('told its console of no fault', () => {
    expect(browser.faults).toEqual([]);
  });
});

const attached = [
  ['web', 'h1', 'a'],
  ['web', 'h2', 'b'],
  ['db', 'h2', 'd'],
] as const;

async function view(title: string): Promise<Browser> {
  const { page } = browser;
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: title }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  return browser;
}
