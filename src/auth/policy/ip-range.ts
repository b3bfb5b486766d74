// Parses IP addresses and CIDR ranges: `203.0.113.0/24`, `2001:db8::/32`.

/** An address in groups of 16 bits: two for IPv4, eight for IPv6. */
type Address = readonly number[];

/** The addresses whose first `prefix` bits are those of `address`. */
export interface IpRange {
  readonly address: Address;
  readonly prefix: number;
}

/** The longest text of an address; longer texts are not parsed. */
const ADDRESS_MAX_LENGTH = 45;

/** The bits before the IPv4 address in an IPv4-mapped IPv6 address, `::ffff:192.0.2.1`. */
const MAPPED_PREFIX = 96;

/** Parses a range or a single address; undefined if it is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [written = "", length, ...others] = text.split("/");
  const groups = parseGroups(written);
  if (groups === undefined || others.length > 0) return undefined;
  const bits = groups.length * 16;
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return undefined;
  return isMapped(groups) && prefix >= MAPPED_PREFIX
    ? { address: groups.slice(-2), prefix: prefix - MAPPED_PREFIX }
    : { address: groups, prefix };
}

/** Whether an address is in a range; false for a text that is not an address. */
export function isInRange(range: IpRange, text: string): boolean {
  const isPossible = text.length <= ADDRESS_MAX_LENGTH && !text.includes("/");
  const address = isPossible ? parseIpRange(text)?.address : undefined;
  if (address?.length !== range.address.length) return false;
  return range.address.every((group, index) => {
    const counted = Math.min(Math.max(range.prefix - index * 16, 0), 16);
    const mask = (0xffff << (16 - counted)) & 0xffff;
    return (((address[index] ?? 0) ^ group) & mask) === 0;
  });
}

function isMapped(groups: Address): boolean {
  return groups.length === 8 && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

function parseGroups(text: string): Address | undefined {
  if (!text.includes(":")) return parseOctets(text);
  const [before = "", after, ...others] = text.split("::");
  if (others.length > 0) return undefined;
  // Only the last group may be written as an IPv4 address.
  const head = parseHexGroups(before, after === undefined);
  if (after === undefined) return head?.length === 8 ? head : undefined;
  const tail = parseHexGroups(after, true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function parseHexGroups(text: string, isLast: boolean): Address | undefined {
  if (text === "") return [];
  const written = text.split(":");
  const groups: number[] = [];
  for (const [index, group] of written.entries()) {
    const octets = isLast && index === written.length - 1 ? parseOctets(group) : undefined;
    if (octets !== undefined) groups.push(...octets);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) groups.push(Number.parseInt(group, 16));
    else return undefined;
  }
  return groups;
}

function parseOctets(text: string): Address | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))) return undefined;
  const [a = 256, b = 256, c = 256, d = 256] = octets.map(Number);
  return Math.max(a, b, c, d) > 255 ? undefined : [a * 256 + b, c * 256 + d];
}
