use std::io;
use std::net::TcpListener;

/// A port that nobody listens on now. Another program may take it before ours does; its start then fails and is
/// tried again with another.
pub(super) fn free() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
