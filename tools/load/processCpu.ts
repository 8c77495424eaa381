import { readdir, readFile } from 'node:fs/promises';

/** The CPU time in seconds of a process and of each of its descendants, by process id: of a daemon and its workers. */
export async function cpuSeconds(pid: number): Promise<Map<number, number>> {
  const used = new Map([[pid, await own(pid)]]);
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
    for (const child of children.trim().split(' ').filter(Boolean))
      for (const [id, seconds] of await cpuSeconds(Number(child))) used.set(id, seconds);
  }
  return used;
}

/** schedstat counts nanoseconds, /proc/PID/stat only clock ticks. */
async function own(pid: number): Promise<number> {
  let nanos = 0;
  for (const task of await readdir(`/proc/${pid}/task`))
    nanos += Number((await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')).split(' ')[0]);
  return nanos / 1e9;
}
