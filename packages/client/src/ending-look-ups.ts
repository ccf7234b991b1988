import type { TaskEnding } from '@millrace/shared/redis/task-record';
import type { TaskRef } from '@millrace/shared/tasks/ids';
import { type Family, families } from '@millrace/shared/tasks/task';

type LookUp = (family: Family, jobIds: readonly string[]) => Promise<readonly TaskEnding[]>;

interface Question {
  readonly jobId: string;
  resolve(ending: TaskEnding): void;
  reject(error: Error): void;
}

/** Tasks looked up in one command. */
const atOnce = 500;

/** Whether tasks have ended: all questions of one turn of the event loop are one command to Redis. */
export class EndingLookUps {
  private readonly lookUp: LookUp;
  private readonly questions = new Map<Family, Question[]>();

  constructor(lookUp: LookUp) {
    this.lookUp = lookUp;
  }

  /** How a task stands. @throws MillraceError REDIS_UNAVAILABLE. */
  ask({ family, jobId }: TaskRef): Promise<TaskEnding> {
    if (this.questions.size === 0) setImmediate(() => this.send());
    return new Promise((resolve, reject) => {
      const questions = this.questions.get(family) ?? [];
      questions.push({ jobId, resolve, reject });
      this.questions.set(family, questions);
    });
  }

  private send(): void {
    for (const family of families) {
      const questions = this.questions.get(family) ?? [];
      for (let start = 0; start < questions.length; start += atOnce) {
        void this.sendSome(family, questions.slice(start, start + atOnce));
      }
    }
    this.questions.clear();
  }

  private async sendSome(family: Family, questions: readonly Question[]): Promise<void> {
    try {
      const endings = await this.lookUp(
        family,
        questions.map(({ jobId }) => jobId),
      );
      questions.forEach(({ resolve }, index) => {
        resolve(endings[index] ?? 'gone');
      });
    } catch (error) {
      for (const { reject } of questions) reject(error as Error);
    }
  }
}
