import { z } from "zod";
import { ROLES } from "./user.js";

export const displayName = z.string().trim().min(1).max(100);

export const locale = z
  .string()
  .max(35)
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, "must be a language tag like en or pt-BR")
  .meta({ description: "BCP 47 language tag" });

const phone = z
  .string()
  .regex(/^\+[1-9]\d{6,14}$/, "must be in E.164 form, like +14155550123")
  .nullable();

export const profileChangeSchema = z
  .strictObject({ display_name: displayName, phone, locale })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "must change something")
  .meta({ minProperties: 1 });

export const profileResponse = z.strictObject({
  id: z.uuid(),
  email: z.email(),
  display_name: z.string(),
  phone: z.string().nullable(),
  locale: z.string(),
  roles: z.array(z.enum(ROLES)),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
