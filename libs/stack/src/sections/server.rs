mod grpc;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::reader::{At, quoted};
use crate::section::Section;
use crate::{Context, ServerSection};

/// Where the control plane listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);

/// Ports that the server takes on this machine.
pub(crate) struct Ports {
    pub(crate) listen: Option<At<u16>>,
    pub(crate) grpc: Option<At<u16>>,
}

/// The server's section, and the ports that it takes on this machine.
pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> (ServerSection, Ports) {
    let section = root.table("server", "server");
    let section = section.as_ref();
    let mut listen = LISTEN;
    let place = At { value: LISTEN.port(), key: "server.listen".to_owned(), span: root.span.clone() };
    let mut port = Some(place);
    if let Some(at) = section.and_then(|it| it.string("listen")) {
        match at.value.parse::<SocketAddr>() {
            Ok(address) => {
                listen = address;
                port = (address.port() != 0).then(|| at.with(address.port()));
            }
            Err(_) => {
                port = None;
                let problem = format!("{} is not an address to listen on", quoted(&at.value));
                root.reader.wrong(&at, problem, "write an IP address and a port: \"127.0.0.1:7700\"");
            }
        }
    }
    let (grpc, grpc_port) = grpc::read(root, section, listen);
    let data_dir = match section.and_then(|it| it.string("data_dir")) {
        Some(at) => context.base_dir.join(at.value),
        None => context.state_dir.clone(),
    };
    let database = match section.and_then(|it| it.string("database")) {
        Some(at) => database(root, &at, context),
        None => format!("sqlite://{}", data_dir.join("state.db").display()),
    };
    let external_url = section.and_then(|it| it.string("external_url")).map(|at| {
        let good = url::Url::parse(&at.value)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !good {
            let problem = format!("{} is not a URL that people can open", quoted(&at.value));
            root.reader.wrong(&at, problem, "write one such as \"https://ops.example.com\"");
        }
        at.value
    });
    (
        ServerSection { listen, grpc, database, data_dir, external_url },
        Ports { listen: port, grpc: grpc_port },
    )
}

fn database(root: &Section<'_, '_>, at: &At<String>, context: &Context) -> String {
    if let Some(path) = at.value.strip_prefix("sqlite://").filter(|it| !it.is_empty()) {
        // A bare file name would be looked for wherever the server happens to be started.
        return format!("sqlite://{}", context.base_dir.join(path).display());
    }
    let good = url::Url::parse(&at.value)
        .is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql") && url.has_host());
    if !good {
        // The text may hold a password, so it is not shown.
        let fix = "write \"sqlite://path/to/state.db\" or \"postgres://user@host:5432/database\"";
        root.reader.wrong(at, "this is not a database URL", fix);
    }
    at.value.clone()
}
