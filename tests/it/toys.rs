//! The stack of the supervision scenarios: two copies of a Node program that knows nothing of us.

/// Two toys, quick probes, nothing else.
pub(crate) const TOYS: &str = r#"
[stack]
name = "toys"
environment = "test"

[server]
listen = "127.0.0.1:FREE_PORT_1"

[secrets.TOY_SECRET]
from = "generated"

[services.toy]
run = ["node", "TESTS/node/toy.mjs"]
replicas = { min = 2, max = 3 }
secrets = ["TOY_SECRET"]
env = { TOY_EVERY_MS = "20" }

[services.toy.health]
path = "/health"
interval = "200ms"
timeout = "500ms"

[services.toy.stop]
grace = "5s"
"#;
