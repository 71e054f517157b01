//! Where messages may be sent: keeps a receiver's address from reaching what only this machine should reach.
//!
//! Pure: the server asks for each address that a name resolves to, right before it connects, and for one that stands in the
//! address itself ([`literal`]), which no resolver sees.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest address in bytes.
const LONGEST: usize = 8 * 1024;

const LINK_LOCAL: &str = "the address is link-local, where clouds keep the secrets of their machines";
const METADATA: &str = "the address is a cloud's metadata service, which gives secrets away";
const NOBODY: &str = "the address is of a range in which no receiver can be";
const PRIVATE: &str =
    "the address is in a private network: in production that needs allow_private: true at the receiver";

/// Services of clouds that give secrets to whoever asks, outside of the link-local range.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Whether something may be sent to this address.
///
/// Link-local, multicast, unspecified, documentation and other ranges in which nobody is are refused always, in all forms in
/// which IPv6 writes an IPv4 address. Private ones are refused in production unless the receiver's settings allow them.
pub fn address_allowed(address: IpAddr, production: bool, allow_private: bool) -> Result<(), &'static str> {
    let kind = match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => v4(inner),
            None => v6(address),
        },
    };
    match kind {
        Reach::Public => Ok(()),
        Reach::Private if production && !allow_private => Err(PRIVATE),
        Reach::Private => Ok(()),
        Reach::Never(why) => Err(why),
    }
}

/// Whether this can be the address of a receiver: HTTP or HTTPS, with a host and without a password in it.
pub fn url_allowed(url: &str) -> Result<(), &'static str> {
    if url.len() > LONGEST {
        return Err("the address is longer than 8192 bytes");
    }
    let Ok(url) = Url::parse(url) else {
        return Err("this is no address such as https://example.com/path");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http and https are spoken");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the address names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a name or password stands in the address: write it under http_config.basic_auth");
    }
    Ok(())
}

/// The IP address that stands in an address instead of a name.
#[must_use]
pub fn literal(url: &str) -> Option<IpAddr> {
    match Url::parse(url).ok()?.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}

enum Reach {
    Public,
    Private,
    Never(&'static str),
}

fn v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Never(METADATA);
    }
    match address.octets() {
        [169, 254, ..] => Reach::Never(LINK_LOCAL),
        // This network, protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved, broadcast.
        [0, ..]
        | [192, 0, 0 | 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [224..=255, ..] => Reach::Never(NOBODY),
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Private,
        _ => Reach::Public,
    }
}

fn v6(address: Ipv6Addr) -> Reach {
    if METADATA_V6.contains(&address) {
        return Reach::Never(METADATA);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        [0xfe80..=0xfebf, ..] => Reach::Never(LINK_LOCAL),
        [0xfc00..=0xfdff, ..] => Reach::Private,
        // Global unicast without protocol assignments (Teredo, benchmarks, …) and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never(NOBODY),
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never(NOBODY),
    }
}

/// The IPv4 address within one of IPv6: mapped, compatible, NAT64, 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // Neither :: nor ::1.
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => return None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn allowed(address: &str, production: bool, allow_private: bool) -> bool {
        address_allowed(address.parse().unwrap(), production, allow_private).is_ok()
    }

    #[test]
    fn what_no_receiver_has_is_refused_always() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "198.19.255.255",
            "192.88.99.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001:2::1",
            "2001::1",
            "100::1",
            "64:ff9b:1::a9fe:a9fe",
            "fd00:ec2::254",
            "fd20:ce::254",
            "5f00::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "::ffff:0.0.0.0",
            "2002:e000:1::",
        ] {
            for (production, allow) in [(false, false), (false, true), (true, false), (true, true)] {
                assert!(!allowed(address, production, allow), "{address}");
            }
        }
    }

    #[test]
    fn private_ones_are_refused_in_production_unless_allowed() {
        for address in [
            "10.0.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fc00::1",
            "fdff::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
        ] {
            assert!(!allowed(address, true, false), "{address}");
            assert!(allowed(address, true, true), "{address}");
            assert!(allowed(address, false, false), "{address}");
        }
    }

    #[test]
    fn public_ones_are_allowed() {
        for address in [
            "1.1.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "198.17.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::",
        ] {
            assert!(allowed(address, true, false), "{address}");
        }
    }

    #[test]
    fn an_address_is_http_with_a_host_and_without_a_password() {
        for url in ["http://a", "https://a.example/b?c=d#e", "http://127.0.0.1:9/", "https://[::1]/"] {
            assert_eq!(url_allowed(url), Ok(()), "{url}");
        }
        for (url, part) in [
            ("", "no address"),
            ("hooks.example", "no address"),
            ("http://", "no address"),
            ("http://a b/", "no address"),
            ("file:///etc/passwd", "only http"),
            ("ftp://a/", "only http"),
            ("javascript:1", "only http"),
            ("https://me:word@a/", "basic_auth"),
            ("https://me@a/", "basic_auth"),
        ] {
            let told = url_allowed(url).unwrap_err();
            assert!(told.contains(part), "{url}: {told}");
        }
        assert!(url_allowed(&format!("http://{}", "a".repeat(9_000))).is_err());
    }

    #[test]
    fn an_ip_address_in_an_address_is_seen_in_each_of_its_spellings() {
        for url in ["http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1:80/x"] {
            assert_eq!(literal(url), Some("127.0.0.1".parse().unwrap()), "{url}");
        }
        assert_eq!(literal("http://[::1]:80/"), Some("::1".parse().unwrap()));
        assert_eq!(literal("http://localhost/"), None);
        assert_eq!(literal("rubbish"), None);
    }
}
