import type { Family } from '@millrace/shared/tasks/task';
import type { OpenMill } from './open-mill.ts';
import { Refusal } from './refusal.ts';

/** The family of a type. @throws Refusal with the types that there are. */
export async function familyOf({ catalog, mill, address }: OpenMill, type: string): Promise<Family> {
  const here = catalog.get(type);
  if (here !== undefined) return here.family;
  const known = address.way === 'http' ? await mill.taskTypes() : [...catalog.values()];
  const there = known.find((one) => one.type === type);
  if (there !== undefined) return there.family;
  const list = known.map((one) => one.type).join(', ');
  throw new Refusal(`There is no task type ${JSON.stringify(type)}: use one of ${list}.`);
}
