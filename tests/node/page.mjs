// Opens a page in a real Chromium by a one-time link: LINK PNG WIDTH HEIGHT SCHEME SCRIPTS [PATH [TEXT]]. Prints what a person and axe
// would find: {title, heading, errors, violations, sideways}. SCRIPTS is `on` or `off`; PATH is reached by its link in the bar,
// or in the page that is, and TEXT is written into its form.
import { chromium } from 'playwright-core';
import { createRequire } from 'node:module';

const [link, png, width, height, scheme, scripts, path, text] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath, args });
const context = await browser.newContext({
  viewport: { width: Number(width), height: Number(height) }, colorScheme: scheme, javaScriptEnabled: scripts !== 'off', bypassCSP: scripts !== 'off',
});
const page = await context.newPage();
const errors = [];
page.on('console', message => { if (message.type() === 'error') errors.push(message.text()); });
page.on('pageerror', error => errors.push(String(error)));
await page.goto(link);
await page.locator('form button').first().click();
await page.waitForSelector('h1');
if (path) {
  // With the keyboard alone.
  const parent = `/${path.split('/')[1]}`;
  for (const place of path === parent ? [path] : [parent, path]) {
    await page.locator(`nav a[href="${place}"], main a[href="${place}"]`).first().focus();
    await Promise.all([page.waitForURL(`**${place}`), page.keyboard.press('Enter')]);
    await page.waitForSelector('h1');
  }
}
if (text) {
  const before = page.url();
  await page.locator('main form').locator('[name="expr"], [name="reason"]').first().fill(text);
  await Promise.all([page.waitForURL(url => url.href !== before), page.locator('main form button').first().press('Enter')]);
  await page.waitForSelector('h1');
}
await page.screenshot({ path: png, fullPage: true });
let violations = [];
if (scripts !== 'off') {
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  violations = (await page.evaluate(() => window.axe.run())).violations.map(it => `${it.id}: ${it.nodes.map(node => node.target.join(' ')).join(', ')}`);
}
const sideways = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth).catch(() => null);
console.log(JSON.stringify({ title: await page.title(), heading: await page.locator('h1').first().innerText(), errors, violations, sideways }));
await browser.close();
