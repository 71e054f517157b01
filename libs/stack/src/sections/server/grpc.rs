use std::net::SocketAddr;

use crate::GrpcListen;
use crate::reader::{At, quoted};
use crate::section::Section;

/// Where gRPC listens unless told otherwise: beside the control plane.
const PORT: u16 = 7701;

/// `grpc`, an address or `false`, and the port that it takes.
///
/// A file that says nothing gets the usual port when it is free: a second stack on the same machine starts without.
pub(super) fn read(
    root: &Section<'_, '_>,
    section: Option<&Section<'_, '_>>,
    listen: SocketAddr,
) -> (GrpcListen, Option<At<u16>>) {
    let Some(section) = section.filter(|it| it.value("grpc").is_some()) else {
        if listen.port() == PORT {
            return (GrpcListen::Off, None);
        }
        let place = At { value: PORT, key: "server.grpc".to_owned(), span: root.span.clone() };
        return (GrpcListen::IfFree(SocketAddr::new(listen.ip(), PORT)), Some(place));
    };
    if section.value("grpc").is_some_and(|at| at.value.get_ref().as_bool() == Some(false)) {
        return (GrpcListen::Off, None);
    }
    let Some(at) = section.string("grpc") else { return (GrpcListen::Off, None) };
    match at.value.parse::<SocketAddr>() {
        Ok(address) => (GrpcListen::At(address), (address.port() != 0).then(|| at.with(address.port()))),
        Err(_) => {
            let problem = format!("{} is not an address to listen on", quoted(&at.value));
            let fix = "write an IP address and a port, \"127.0.0.1:7701\", or false for none";
            root.reader.wrong(&at, problem, fix);
            (GrpcListen::Off, None)
        }
    }
}
