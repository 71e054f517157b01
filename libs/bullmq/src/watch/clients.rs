use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};

/// Who is connected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Clients {
    /// Workers by queue.
    pub(super) workers: BTreeMap<String, u32>,
    /// Connections of every kind.
    pub(super) connections: usize,
}

/// Reads `CLIENT LIST`. A worker of npm names the connection that it waits on `<prefix>:<queue in base64>`, with
/// `:w:<its name>` behind it if it has one; `:qe` behind it is a listener.
pub(super) fn parse(list: &str, prefix: &str) -> Clients {
    let mut clients = Clients::default();
    for line in list.lines() {
        clients.connections += 1;
        let name = line.split(' ').find_map(|field| field.strip_prefix("name="));
        if let Some(queue) = name.and_then(|name| queue_of(name, prefix)) {
            *clients.workers.entry(queue).or_default() += 1;
        }
    }
    clients
}

fn queue_of(name: &str, prefix: &str) -> Option<String> {
    let rest = name.strip_prefix(prefix)?.strip_prefix(':')?;
    let (queue, role) = rest.split_once(':').map_or((rest, None), |(queue, role)| (queue, Some(role)));
    if role.is_some_and(|role| !role.starts_with("w:")) {
        return None;
    }
    let queue = String::from_utf8(STANDARD.decode(queue).ok()?).ok()?;
    (!queue.is_empty() && !queue.contains(':')).then_some(queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_told_from_listeners_and_strangers() {
        let list = "id=3 addr=127.0.0.1:5 name=bull:bWFpbA== db=0 cmd=bzpopmin\n\
            id=4 addr=127.0.0.1:6 name=bull:bWFpbA==:w:one:two db=0\n\
            id=5 addr=127.0.0.1:7 name=bull:bWFpbA==:qe db=0\n\
            id=6 addr=127.0.0.1:8 name=other:bWFpbA== db=0\n\
            id=7 addr=127.0.0.1:9 name= db=0\n\
            id=8 addr=127.0.0.1:9 name=bull:not%base64 db=0\n";
        let clients = parse(list, "bull");
        assert_eq!(clients.workers, BTreeMap::from([("mail".to_owned(), 2)]));
        assert_eq!(clients.connections, 6);
    }
}
