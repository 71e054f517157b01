//! Which port is taken, and by whom.

use std::net::{SocketAddr, TcpListener};

/// Whether somebody listens there already.
pub(crate) fn is_taken(address: SocketAddr) -> bool {
    // The standard library sets SO_REUSEADDR, so that connections of a server that has gone do not count.
    TcpListener::bind(address).is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
}

/// `process 123 (nginx)`, or `another process` where it cannot be told.
pub(crate) fn taker(port: u16) -> String {
    process(port)
        .map_or_else(|| "another process".to_owned(), |(pid, name)| format!("process {pid} ({name})"))
}

fn process(port: u16) -> Option<(u32, String)> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .flat_map(|text| text.lines().filter_map(|line| listening(line, port)).collect::<Vec<_>>())
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let files = std::fs::read_dir(entry.path().join("fd")).ok()?;
        files.flatten().find(|file| {
            std::fs::read_link(file.path())
                .is_ok_and(|it| sockets.iter().any(|socket| it.as_os_str() == socket.as_str()))
        })?;
        let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        Some((pid, name.trim().to_owned()))
    })
}

/// The socket of a line of `/proc/net/tcp`, if it listens on `port`.
fn listening(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, hex) = fields.get(1)?.rsplit_once(':')?;
    let found = u16::from_str_radix(hex, 16).ok()?;
    (found == port && *fields.get(3)? == "0A").then(|| fields.get(9).map(|it| (*it).to_owned())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_taker() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(is_taken(address));
        if cfg!(target_os = "linux") {
            assert!(taker(address.port()).contains(&std::process::id().to_string()));
        }
        drop(listener);
        assert!(!is_taken(address));
    }
}
