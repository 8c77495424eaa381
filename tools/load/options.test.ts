import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions, USAGE } from './options.ts';

const read = (text: string) => readOptions(text.split(' ').filter(Boolean));

test('`readOptions` accepts each option of the usage, and fills in defaults', () => {
  const url = 'https://control.example.com';
  assert.deepEqual(
    read(`--url ${url} --token-secret-file s --rooms 2 --audio false --seconds 0.5 --grow 25 --json j`),
    {
      url,
      tokenSecretFile: 's',
      rooms: 2,
      publishers: 1,
      subscribers: 10,
      audio: false,
      fps: 30,
      seconds: 0.5,
      joinsPerSecond: 40,
      grow: 25,
      json: 'j',
    },
  );
  assert.equal(read('--help'), undefined);
  for (const option of Object.keys(readOptions([]) ?? {})) {
    const name = option.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
    assert.match(USAGE, new RegExp(`--${name} `));
  }
});

const nonsense = [
  ['--bogus 1', /--bogus/],
  ['extra', /extra/],
  ['--rooms x', /--rooms is a whole number from 1 on, not "x"/],
  ['--rooms 0', /--rooms/],
  ['--publishers 0', /--publishers/],
  ['--subscribers 1.5', /--subscribers/],
  ['--grow=-1', /--grow/],
  ['--seconds 0', /--seconds/],
  ['--joins-per-second 0', /--joins-per-second/],
  ['--seconds=', /--seconds/],
  ['--audio no', /--audio is true or false/],
  ['--audio false --fps 0', /nothing would be sent/],
  ['--url nonsense', /--url/],
  ['--url ftp://example.com', /--url/],
  ['--token-secret-file s', /control plane/],
  ['--url wss://example.com --token-secret-file s', /control plane/],
] as const;

test('`readOptions` refuses invalid options, and says why', () => {
  for (const [text, why] of nonsense) assert.throws(() => read(text), why, text);
});
