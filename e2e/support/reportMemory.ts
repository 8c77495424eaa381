import { renameSync, writeFileSync } from 'node:fs';

/*
 * Loaded into a daemon by a test (`node --expose-gc --import`): at SIGUSR2 it collects the garbage and writes what is
 * left to the file that MEMORY_REPORT names. The daemon itself offers no such command.
 */
const file = process.env.MEMORY_REPORT ?? '';

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  // Renamed, so that no reader sees half a file.
  writeFileSync(`${file}.part`, JSON.stringify({ heapUsed, handles: process.getActiveResourcesInfo().length }));
  renameSync(`${file}.part`, file);
});
