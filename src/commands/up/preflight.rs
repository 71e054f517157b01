//! What would make the start fail for sure: a port that a stranger holds.

use ops_stack::{GrpcListen, StackFile};

use crate::control::{holder, ports, slots};
use crate::failure::{Failure, Result};
use crate::place::Place;

/// Names every port that is needed and taken. What this stack itself runs already does not count.
pub(super) fn check_ports(place: &Place, file: &StackFile) -> Result {
    let running: Vec<String> = slots::alive(&place.state).into_iter().map(|it| it.name).collect();
    let mut taken = Vec::new();
    let listen = file.server.listen;
    if holder(&place.lock("server")).is_none() && ports::is_taken(listen) {
        taken.push((listen.port(), "the control plane".to_owned(), "listen in [server]".to_owned()));
    }
    if let GrpcListen::At(grpc) = file.server.grpc
        && holder(&place.lock("server")).is_none()
        && ports::is_taken(grpc)
    {
        taken.push((grpc.port(), "the control plane's gRPC".to_owned(), "grpc in [server]".to_owned()));
    }
    for (name, spec) in &file.stack.services {
        let ours =
            running.iter().any(|it| it.rsplit_once('/').is_some_and(|(service, _)| service == name.as_str()));
        if let Some(port) = spec.port
            && !ours
            && ports::is_taken(([127, 0, 0, 1], port).into())
        {
            taken.push((port, name.to_string(), format!("the port of {name}")));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = taken
        .into_iter()
        .map(|(port, user, key)| {
            format!("port {port} is needed by {user} and taken by {}: end that, or change {key} in the stack file", ports::taker(port))
        })
        .collect();
    Err(Failure::problems(lines.join("\n       ")))
}
