import type { ApiScope } from '@millrace/shared/settings';

/** What a route asks for; `none` answers anybody. */
export type RouteScope = ApiScope | 'none';

/** Each includes those before it. */
const order: readonly ApiScope[] = ['read', 'enqueue', 'admin'];

/** Whether a key of scope `has` may do what needs `needs`. */
export function reaches(has: ApiScope, needs: ApiScope): boolean {
  return order.indexOf(has) >= order.indexOf(needs);
}
