import { isIPv6 } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const GROUPS_OF_A_SITE = 4;

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 one, of which a single host has 2^64. */
export function clientKey(address: string): string {
  const embedded = IPV4_IN_IPV6.exec(address)?.[1];
  if (embedded !== undefined) return embedded;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  const site = groups.slice(0, GROUPS_OF_A_SITE).map((group) => Number.parseInt(group, 16).toString(16));
  return `${site.join(":")}::/64`;
}
