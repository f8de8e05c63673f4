import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseSigner, type Signer } from '@firmproof/protocol';
import { inflate } from '@sparticuz/chromium';
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core';
import { temporaryDirectory } from './stack.ts';

const require = createRequire(import.meta.url);
const packed = join(dirname(require.resolve('@sparticuz/chromium')), '..');
/** The browser, its fonts, and the libraries that a bare machine lacks (nss, expat). */
const archives = ['chromium.br', 'fonts.tar.br', 'al2023.tar.br'];

/** Unpacks Chromium once for each version and user; half-unpacked never shows under the final name. */
async function unpackedChromium(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8'));
  const directory = join(tmpdir(), `firmproof-chromium-${version}-${userInfo().uid}`);
  if (existsSync(directory)) return directory;
  const unfinished = mkdtempSync(`${directory}-`);
  const before = process.env['TMPDIR'];
  // The package unpacks into the temporary directory, which it looks up when it is called.
  process.env['TMPDIR'] = unfinished;
  const unpacking = archives.map((name) => inflate(join(packed, 'bin', name)));
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  await Promise.all(unpacking);
  writeFileSync(join(unfinished, 'fonts.conf'), fontsOf(directory));
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    // Another test was faster.
    if (!existsSync(directory)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  return directory;
}

/** The package's own configuration looks for fonts in other places, and a browser that finds no font at all crashes. */
const fontsOf = (directory: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(directory, 'fonts')}</dir><cachedir>${join(directory, 'fonts-cache')}</cachedir></fontconfig>
`;

/** A real Chromium, with the web's security as it is. */
export async function startBrowser(): Promise<Browser> {
  const directory = await unpackedChromium();
  const home = join(directory, 'home');
  mkdirSync(home, { recursive: true });
  return chromium.launch({
    executablePath: join(directory, 'chromium'),
    // Not the package's own arguments: those switch web security off.
    args: ['--no-sandbox', '--headless=shell', '--disable-gpu'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      LD_LIBRARY_PATH: join(directory, 'al2023', 'lib'),
      FONTCONFIG_FILE: join(directory, 'fonts.conf'),
    },
  });
}

export const buildScript = fileURLToPath(new URL('../../web/scripts/build.ts', import.meta.url));

/** Builds the approval pages as an operator does; answers with their directory. */
export async function buildPages(...options: readonly string[]): Promise<string> {
  const directory = temporaryDirectory();
  await promisify(execFile)(process.execPath, [buildScript, '--out', directory, ...options]);
  return directory;
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Any static host: files by their paths, no rules, no headers but the type. */
export async function hostFiles(directory: string): Promise<{ readonly url: string; stop(): Promise<unknown> }> {
  const host = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://host').pathname;
    const file = join(directory, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': mediaTypes[extname(file)] }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const address = host.address();
  return {
    url: `http://localhost:${typeof address === 'object' ? address?.port : 0}`,
    stop: () => new Promise((resolve) => host.close(resolve)),
  };
}

export type Look = { readonly colorScheme?: 'light' | 'dark'; readonly width?: number; readonly height?: number };

/** Somebody's browser with an authenticator in it, which watches what the pages do. */
export class Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What no page should do: break its policy, fail, or talk to a host that nobody named. */
  readonly offences: string[] = [];
  readonly #devtools: CDPSession;
  readonly #authenticator: string;

  private constructor(page: Page, devtools: CDPSession, authenticator: string) {
    this.page = page;
    this.context = page.context();
    this.#devtools = devtools;
    this.#authenticator = authenticator;
  }

  static async sitDown(browser: Browser, origins: readonly string[], look: Look = {}): Promise<Person> {
    const { colorScheme = 'light', width = 1100, height = 900 } = look;
    const context = await browser.newContext({ colorScheme, viewport: { width, height } });
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const person = new Person(page, devtools, authenticatorId);
    page.on('pageerror', (error) => person.offences.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) person.offences.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && !origins.includes(origin))
        person.offences.push(`a request to ${request.url()}`);
    });
    page.setDefaultTimeout(60_000);
    return person;
  }

  /** Makes a passkey on the enrolment page; answers with the signer that it shows. */
  async enrol(url: string, label = 'Ada, laptop'): Promise<Signer> {
    await this.page.goto(`${url}/#/enrol`);
    await this.page.getByLabel('Your name and device').fill(label);
    await this.page.getByRole('button', { name: 'Make a passkey' }).click();
    const made = this.page.locator('.notice.good');
    await made.getByText(`“${label}” is made.`).waitFor();
    return parseSigner((await made.locator('code').textContent()) ?? '');
  }

  /** The finger stays away, or the person cancels. */
  async refuse(refuses: boolean): Promise<void> {
    await this.#devtools.send('WebAuthn.setUserVerified', {
      authenticatorId: this.#authenticator,
      isUserVerified: !refuses,
    });
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
