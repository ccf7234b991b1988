import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { parseFailedReason } from '@millrace/shared/errors';
import { readJobOutline, type TaskQueue } from '@millrace/shared/queues';
import type { Redis } from '@millrace/shared/redis/connection';
import { taskIdOf } from '@millrace/shared/tasks/ids';
import type { Family } from '@millrace/shared/tasks/task';
import { clip, clipText } from './clip.ts';

type BoardJob = NonNullable<Awaited<ReturnType<BullMQAdapter['getJob']>>>;
type BoardStatus = Parameters<BullMQAdapter['getJobs']>[0][number];

interface BoardQueue {
  readonly family: Family;
  readonly queue: TaskQueue;
  readonly redis: Redis;
  /** What is in tasks is neither read nor shown. */
  readonly hidePayloads: boolean;
}

/** Data above this many bytes is not read: a page of the board has up to 70 jobs, and is asked for every few seconds. */
const readBytes = 32 * 1024;
/** No data is as short. */
const readNothing = -1;
const hidden = '(hidden)';

/** The board's view of a queue: read-only, payloads cut short, and large ones never read. */
export class BoardAdapter extends BullMQAdapter {
  private readonly board: BoardQueue;

  constructor(board: BoardQueue) {
    super(board.queue, {
      readOnlyMode: true,
      description: `tasks of the family ${board.family}`,
      externalJobUrl: ({ id }) => ({
        displayText: 'As a task',
        href: `/v1/tasks/${encodeURIComponent(taskIdOf({ family: board.family, jobId: String(id ?? '') }))}`,
      }),
    });
    this.board = board;
    this.setFormatter('name', ({ name }) => clipText(String(name), 80));
    for (const field of ['data', 'returnValue', 'progress'] as const)
      this.setFormatter(field, board.hidePayloads ? () => hidden : clip);
  }

  override async getJobs(statuses: BoardStatus[], start = 0, end = 1): Promise<BoardJob[]> {
    // Ids only: BullMQ's own getJobs reads every payload, twice.
    const known = statuses.filter((status) => status !== 'paused'); // BullMQ 6 has no such place any more
    const ids = await this.board.queue.getRanges(known, start, end);
    const jobs = await Promise.all(ids.map((id) => this.getJob(id)));
    return jobs.filter((job) => job !== undefined);
  }

  override async getJob(id: string): Promise<BoardJob | undefined> {
    if (!this.board.hidePayloads) return await readJobOutline(this.board, id, readBytes);
    const job = await readJobOutline(this.board, id, readNothing);
    if (job === undefined) return undefined;
    // Messages and stacks quote what was wrong.
    if (job.failedReason) job.failedReason = parseFailedReason(job.failedReason).code;
    job.stacktrace = [];
    return job;
  }
}
