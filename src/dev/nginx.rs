//! The development balancer: nginx in the foreground, with everything it writes inside its folder.
//!
//! The agent owns `upstreams.conf` beside `nginx.conf`: it names the ready replicas and is read again on SIGHUP.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::{become_program, folder, programs};

/// Arguments of `dev nginx`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its folder; `upstreams.conf` is read there.
    #[arg(long)]
    data: PathBuf,
    /// Its port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Which service answers under which path; may be repeated.
    #[arg(long = "route", value_name = "PATH=SERVICE", value_parser = Route::parse,
          default_values = ["/=api", "/socket.io/=realtime"])]
    routes: Vec<Route>,
}

/// A path prefix and the service behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    path: String,
    service: String,
}

impl Route {
    /// Only what is safe inside nginx's configuration.
    fn parse(text: &str) -> Result<Self, String> {
        let plain =
            |text: &str, more: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || more.contains(it));
        match text.split_once('=') {
            Some((path, service))
                if path.starts_with('/')
                    && plain(path, "/._-")
                    && !service.is_empty()
                    && plain(service, "_-") =>
            {
                Ok(Self { path: path.to_owned(), service: service.to_owned() })
            }
            _ => Err("write it like /socket.io/=realtime".to_owned()),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Infallible> {
    let nginx = programs::find(&["nginx"]).context(
        "found no nginx: install it (Debian: `apt-get install nginx-light`, macOS: `brew install nginx`)",
    )?;
    let data = folder::prepare(&arguments.data, None)?;
    let upstreams = data.join("upstreams.conf");
    let known = fs::read_to_string(&upstreams).unwrap_or_default();
    let complete = |it: &Route| known.contains(&format!("upstream {} {{", it.service));
    if !known.contains("$insightdesk_version") || !arguments.routes.iter().all(complete) {
        fs::write(&upstreams, nobody(&arguments.routes))
            .with_context(|| format!("could not write {}", upstreams.display()))?;
    }
    let configuration = data.join("nginx.conf");
    fs::write(&configuration, configure(&data, arguments))
        .with_context(|| format!("could not write {}", configuration.display()))?;

    let mut command = Command::new(nginx);
    command.arg("-p").arg(&data).arg("-c").arg(&configuration).args(["-e", "stderr", "-g", "daemon off;"]);
    become_program(command)
}

/// Stands until the agent has named the ready replicas: nobody listens on port 1.
fn nobody(routes: &[Route]) -> String {
    let services: BTreeSet<&str> = routes.iter().map(|it| it.service.as_str()).collect();
    let upstreams: String =
        services.iter().map(|it| format!("upstream {it} {{\n    server 127.0.0.1:1;\n}}\n")).collect();
    format!("map \"\" $insightdesk_version {{ default \"none\"; }}\n{upstreams}")
}

fn configure(data: &Path, arguments: &Arguments) -> String {
    let quoted = data.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let locations: String = arguments
        .routes
        .iter()
        .map(|it| {
            format!(
                "        location {} {{\n            proxy_pass http://{};\n        }}\n\n",
                it.path, it.service
            )
        })
        .collect();
    include_str!("nginx.conf")
        .replace("@DATA@", &quoted)
        .replace("@PORT@", &arguments.port.to_string())
        .replace("@LOCATIONS@\n", locations.trim_end_matches('\n').trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_its_folder_and_port_and_keeps_the_upgrade_headers() {
        let route = Route::parse("/socket.io/=realtime").unwrap();
        let arguments = Arguments { data: PathBuf::new(), port: 8081, routes: vec![route] };
        let text = configure(Path::new("/data/my nginx"), &arguments);
        assert!(text.contains("listen 127.0.0.1:8081"));
        assert!(text.contains("include \"/data/my nginx/upstreams.conf\""));
        assert!(text.contains("proxy_set_header Upgrade $http_upgrade"));
        assert!(text.contains("location /socket.io/ {\n            proxy_pass http://realtime;"));
        assert!(!text.contains('@'));
    }

    #[test]
    fn a_route_cannot_break_out_of_the_configuration() {
        for wrong in ["", "/", "/=", "api=/", "/;}=api", "/=api;", "/ x=api"] {
            assert!(Route::parse(wrong).is_err(), "{wrong}");
        }
    }
}
