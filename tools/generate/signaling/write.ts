import { readFile, writeFile } from 'node:fs/promises';
import { asyncApi } from './asyncApi.ts';
import { markdown } from './markdown.ts';

/** Writes the reference of the signaling, for people and as AsyncAPI, from the schemas and the recorded examples. */

const folder = new URL('../../../proto/', import.meta.url);
const read = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8');
const write = (name: string, text: string): Promise<void> => writeFile(new URL(name, folder), text);

const examples = JSON.parse(await read('signaling-examples.json'));
await write('asyncapi.json', `${JSON.stringify(asyncApi(examples), null, 2)}\n`);
await write('SIGNALING.md', markdown(await read('SIGNALING.guide.md'), examples));
