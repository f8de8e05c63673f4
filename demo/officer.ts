import type { Vendor } from '@firmproof/client';
import type { Proposal, Signer } from '@firmproof/protocol';
import { Person, startBrowser } from '../test/support/browser.ts';
import { passkeySigner } from '../test/support/team.ts';
import { approveWith } from './approve.ts';

/** The security officer: a person with a passkey. */
export type Officer = {
  readonly signer: Signer;
  /** Where the passkey is. */
  readonly place: string;
  /** Looks at the proposal, compares the image where there is one, and approves. */
  approve(vendor: Vendor, proposal: Proposal, imageFile?: string): Promise<void>;
  leave(): Promise<void>;
};

/** In a real Chromium on the approval pages of the server; where no browser starts, an authenticator in software. */
export async function callOfficer(server: string): Promise<Officer> {
  // A passkey belongs to a name, and an address is none.
  const url = server.replace('127.0.0.1', 'localhost');
  let browser: Awaited<ReturnType<typeof startBrowser>> | undefined;
  try {
    browser = await startBrowser();
    const person = await Person.sitDown(browser, [url]);
    const signer = await person.enrol(url, 'security officer');
    const approve = (_vendor: Vendor, { id }: Proposal, imageFile?: string) => onPage(person, url, id, imageFile);
    const open = browser;
    return { signer, place: 'in Chromium, on the approval pages', approve, leave: () => open.close() };
  } catch (error) {
    await browser?.close();
    const [why = ''] = String(error).split('\n');
    const passkey = passkeySigner(url);
    return {
      signer: passkey.signer,
      place: `in software, since no browser starts here (${why.slice(0, 100)})`,
      approve: (vendor, proposal) => approveWith(vendor, proposal, passkey),
      leave: async () => undefined,
    };
  }
}

async function onPage({ page }: Person, url: string, id: string, imageFile?: string): Promise<void> {
  await page.goto(`${url}/#/proposal/${id}`);
  await page.getByRole('heading', { name: 'Your decision' }).waitFor();
  if (imageFile !== undefined) {
    await page.setInputFiles('input[type=file]', imageFile);
    await page.getByText('This file is the image that you approve.').waitFor();
  }
  await page.getByRole('button', { name: /^Approve/ }).click();
  await page.getByText('Done: it is on chain.').waitFor();
}
