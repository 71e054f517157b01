//! Addresses, and the networks that they are taken for: 24 bits of IPv4, 48 of IPv6.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::fmt;

use serde::{Deserialize, Serialize};

/// The network that an address is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Network(IpAddr);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(it) => IpAddr::V4(Ipv4Addr::from_bits(it.to_bits() & prefix_4(24))),
            IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & prefix_6(48))),
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, if self.0.is_ipv4() { 24 } else { 48 })
    }
}

/// An address as devices write it: with or without a port, IPv4 inside IPv6 or plain.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    parsed.map(|it: IpAddr| it.to_canonical())
}

/// Whether the address is in `10.0.0.0/8` and the like; a bare address is a network of its own. What cannot be read
/// contains nothing.
pub(super) fn contains(network: &str, address: IpAddr) -> bool {
    let (base, bits) = match network.trim().split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (network.trim(), Some(128)),
    };
    let (Ok(base), Some(bits)) = (base.parse::<IpAddr>(), bits) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(it)) => (base.to_bits() ^ it.to_bits()) & prefix_4(bits) == 0,
        (IpAddr::V6(base), IpAddr::V6(it)) => (base.to_bits() ^ it.to_bits()) & prefix_6(bits) == 0,
        _ => false,
    }
}

fn prefix_4(bits: u32) -> u32 {
    !u32::MAX.checked_shr(bits).unwrap_or(0)
}

fn prefix_6(bits: u32) -> u128 {
    !u128::MAX.checked_shr(bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_devices_write_them() {
        for text in ["10.1.2.3", "10.1.2.3:4711", "::ffff:10.1.2.3", "[::ffff:10.1.2.3]:80", " 10.1.2.3 "] {
            assert_eq!(address(text), Some("10.1.2.3".parse().unwrap()), "{text}");
        }
        assert_eq!(address("[2001:db8::1]"), Some("2001:db8::1".parse().unwrap()));
        for text in ["", "localhost", "10.1.2", "[", "[]", "10.1.2.3:99999", "\u{0}"] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn networks_are_24_and_48_bits() {
        assert_eq!(Network::of("10.1.2.3".parse().unwrap()).to_string(), "10.1.2.0/24");
        assert_eq!(Network::of("2001:db8:1:2::3".parse().unwrap()).to_string(), "2001:db8:1::/48");
    }

    #[test]
    fn a_declared_network_contains_its_addresses_and_no_others() {
        let is_in = |network: &str, it: &str| contains(network, it.parse().unwrap());
        assert!(is_in("10.0.0.0/8", "10.255.0.1") && !is_in("10.0.0.0/8", "11.0.0.1"));
        assert!(is_in("0.0.0.0/0", "1.2.3.4") && !is_in("0.0.0.0/0", "::1"));
        assert!(is_in("1.2.3.4", "1.2.3.4") && !is_in("1.2.3.4", "1.2.3.5"));
        assert!(is_in("2001:db8::/32", "2001:db8:9::1") && !is_in("2001:db8::/32", "2001:db9::1"));
        for rubbish in ["", "/", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/x", "host/8"] {
            assert!(!is_in(rubbish, "10.0.0.1"), "{rubbish}");
        }
    }
}
