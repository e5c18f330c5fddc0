// How lists are read: page by page.

import { z } from 'zod';
import { revisionSchema } from './names';

export const page = {
  limit: z.int().min(1).max(1_000).default(100),
  /** From the previous page's answer. */
  cursor: z.string().max(256).optional(),
};
export const pageReply = { cursor: z.string().optional(), revision: revisionSchema };
