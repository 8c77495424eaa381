import { readFile, writeFile } from 'node:fs/promises';
import { writePage } from '../references/page.ts';
import { asyncApi } from './asyncApi.ts';
import { signalingValues } from './values.ts';

/** Writes the signaling reference, as a page and as AsyncAPI, from the schemas and the recorded examples. */

const proto = new URL('../../../proto/', import.meta.url);
const examples = JSON.parse(await readFile(new URL('signaling-examples.json', proto), 'utf8'));
await writeFile(new URL('asyncapi.json', proto), `${JSON.stringify(asyncApi(examples), null, 2)}\n`);
await writePage('signaling', signalingValues(examples));
