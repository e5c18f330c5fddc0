// Value shapes that many contracts share: ids, names, addresses as text. Meaning (is the CIDR valid?) is the services' matter.

import { z } from 'zod';

/** Opaque id of a network, endpoint or request; also usable as a token of a subject. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1–64 of A–Z a–z 0–9 _ -');

/** A name that people give: DNS label, lower case, so that it can be resolved as it is. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a DNS label: a–z 0–9 -, at most 63');

/** A name or an id, wherever one refers to something that exists. */
export const referenceSchema = z.string().min(1).max(64);

/** Text of an IPv4 or IPv6 address; parsed by libs/ip where it is used. */
export const addressSchema = z.string().min(2).max(45);
export const cidrSchema = z.string().min(3).max(49);
export const macSchema = z
  .string()
  .regex(
    /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/,
    'expected a lower-case MAC address, as in 02:42:0a:00:00:05',
  );
export const labelsSchema = z.record(z.string().min(1).max(128), z.string().max(1024));
/** Revision of the store: 1 and up; 0 means before anything. */
export const revisionSchema = z.int().min(0);
/** Milliseconds since the epoch, as the leader's clock said when it proposed. Shown to people, never used to order. */
export const timeSchema = z.int().min(0);
