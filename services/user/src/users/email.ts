/**
 * The form in which an address is unique: in lower case. RFC 5321 lets the case of the local part matter, but no provider of weight makes
 * use of that, and people mistype it. Dots and `+tags` stay: that they do not matter is one provider's rule. Addresses are
 * ASCII (the schema sees to that), so there are no look-alikes to fold.
 */
export function emailKey(email: string): string {
  return email.toLowerCase();
}
