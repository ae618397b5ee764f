//! IP addresses and address blocks.

use std::net::{IpAddr, Ipv6Addr};

/// An address in IPv4 or IPv6 notation; an IPv4 address mapped into IPv6 becomes the IPv4 address, and a zone
/// (`%eth0`) is dropped.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// The order of addresses: IPv4 as mapped into IPv6, as Elasticsearch indexes them.
pub(crate) fn sort_key(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// A block of addresses in CIDR notation; bits after the prefix are ignored (`10.6.48.157/8` is `10.0.0.0/8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    first: u128,
    mask: u128,
}

impl Cidr {
    /// Reads `address/prefix`, or a single address.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let ip = address.parse::<IpAddr>().ok()?;
        let (width, bits) = match ip {
            IpAddr::V4(v4) => (32, v4.to_ipv6_mapped().to_bits()),
            IpAddr::V6(v6) => (128, v6.to_bits()),
        };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return None;
        }
        // An IPv4 block lies behind the 96 fixed bits of the mapping.
        let host_bits = u32::from(width - prefix);
        let mask = if host_bits == 128 { 0 } else { u128::MAX << host_bits };
        Some(Self { first: bits & mask, mask })
    }

    /// Whether the address lies in the block.
    pub fn contains(&self, ip: IpAddr) -> bool {
        sort_key(ip) & self.mask == self.first
    }

    /// Whether every address of the other block lies in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.mask & other.mask == self.mask && other.first & self.mask == self.first
    }

    /// First address of the block.
    pub fn first(&self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.first)).to_canonical()
    }

    /// Last address of the block.
    pub fn last(&self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.first | !self.mask)).to_canonical()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_their_addresses() {
        let check = |block: &str, address: &str, expected: bool| {
            let block_parsed = Cidr::parse(block).unwrap();
            assert_eq!(block_parsed.contains(parse_ip(address).unwrap()), expected, "{block} {address}");
        };
        check("10.6.48.157/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "255.255.255.255", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "10.0.0.1", true);
        check("fe80::/10", "fe80::1%en0", true);
        check("::ffff:10.0.0.0/104", "10.1.2.3", true);
        check("192.168.1.7", "192.168.1.7", true);
        let covers =
            |outer: &str, inner: &str| Cidr::parse(outer).unwrap().covers(&Cidr::parse(inner).unwrap());
        assert!(covers("10.0.0.0/8", "10.1.0.0/16") && !covers("10.1.0.0/16", "10.0.0.0/8"));
        assert!(covers("10.0.0.0/8", "10.0.0.0/8") && !covers("10.0.0.0/8", "11.0.0.0/16"));
        let ends = |block: &str| {
            let block = Cidr::parse(block).unwrap();
            format!("{} {}", block.first(), block.last())
        };
        assert_eq!(ends("10.6.48.157/8"), "10.0.0.0 10.255.255.255");
        assert_eq!(ends("2001:db8::/126"), "2001:db8:: 2001:db8::3");
        for bad in ["10.0.0.0/33", "::/129", "x/8", "10.0.0/8", ""] {
            assert_eq!(Cidr::parse(bad), None, "{bad}");
        }
    }
}
