use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// An open connection, as `/proc/net/tcp` writes it.
const ESTABLISHED: &str = "01";

/// How many connections are open to each local port; `None` where it cannot be read. The tables have a line for every
/// socket of the machine, so they are read once for all replicas, and not on a thread that others wait for.
pub(crate) async fn connections() -> Option<BTreeMap<u16, u64>> {
    tokio::task::spawn_blocking(|| {
        let mut ports = BTreeMap::new();
        count("/proc/net/tcp", &mut ports).ok()?;
        // A machine without IPv6 has no such table.
        let _ = count("/proc/net/tcp6", &mut ports);
        Some(ports)
    })
    .await
    .ok()?
}

fn count(path: &str, ports: &mut BTreeMap<u16, u64>) -> io::Result<()> {
    for line in BufReader::new(File::open(path)?).lines() {
        if let Some(port) = established(&line?) {
            *ports.entry(port).or_default() += 1;
        }
    }
    Ok(())
}

/// The local port of an open connection.
fn established(line: &str) -> Option<u16> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
    let port = local.rsplit_once(':')?.1;
    (state == ESTABLISHED).then(|| u16::from_str_radix(port, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_open_connections_count_at_their_local_end() {
        let v4 = "   1: 0100007F:1F90 0100007F:C3B2 01 00000000:00000000 00:00000000 00000000  0 0 12 1";
        let v6 = "   0: 00000000000000000000000001000000:1F91 00000000000000000000000001000000:8000 01 0:0";
        let listening = "   2: 00000000:1F90 00000000:0000 0A 00000000:00000000";
        assert_eq!(established(v4), Some(8080));
        assert_eq!(established(v6), Some(8081));
        assert_eq!(established(listening), None);
        assert_eq!(established("  sl  local_address rem_address   st tx_queue"), None);
    }

    #[tokio::test]
    async fn a_connection_of_ours_is_seen() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let before = connections().await.unwrap();
        assert_eq!(before.get(&port), None);
        let client = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(connections().await.unwrap().get(&port), Some(&1));
        drop((client, accepted));
    }
}
