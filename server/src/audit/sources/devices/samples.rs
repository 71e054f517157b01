//! Lines as OpenBao 2.7.2 writes them, without what nobody reads here.

/// What stands for a value in them: the keyed hash of `number`.
pub(crate) fn hmac(number: u64) -> String {
    format!("hmac-sha256:{number:064x}")
}

/// What must never be in an entry.
pub(crate) const CLEAR: &str = "canary-in-clear";

/// A response to a read of two fields, and a number in clear, by alice.
pub(crate) fn read() -> String {
    line(
        "response",
        &by_alice(true),
        r#""operation":"read","path":"secret/data/db/primary""#,
        &format!(
            r#","response":{{"mount_type":"kv","data":{{"data":{{"password":"{}","user":"{}","n":7311}},
                "metadata":{{"created_time":"2026-11-23T22:21:39.7Z","version":3}}}}}}"#,
            hmac(1),
            hmac(2)
        ),
    )
}

/// A response to a write of both.
pub(crate) fn write() -> String {
    let request = format!(
        r#""operation":"update","path":"secret/data/db/primary","data":{{"data":{{"password":"{}","user":"{}"}}}}"#,
        hmac(1),
        hmac(2)
    );
    line(
        "response",
        &by_alice(true),
        &request,
        r#","response":{"mount_type":"kv","data":{"created_time":"2026-11-23T22:21:39.7Z","version":4}}"#,
    )
}

/// A response to a read that the policies do not allow.
pub(crate) fn denied() -> String {
    line(
        "response",
        &by_alice(false),
        r#""operation":"read","path":"secret/data/db/primary""#,
        &format!(
            r#","response":{{"data":{{"error":"{}"}}}},"error":"1 error occurred:\n\t* permission denied\n\n""#,
            hmac(9)
        ),
    )
}

/// The line that a device which is being switched on is tried out with.
pub(crate) const TEST: &str = r#"{"time":"2026-11-23T22:21:39.691633471Z","type":"request","auth":{"token_type":"default"},
    "request":{"id":"dc6cd726-ce40-c8c9-bfa0-b60c89573814","operation":"update","namespace":{"id":"root"},"path":"sys/audit/test"}}"#;

/// What alice's token is told of.
pub(crate) fn by_alice(allowed: bool) -> String {
    format!(
        r#""client_token":"{}","accessor":"{}","display_name":"userpass-alice","policies":["default","reader"],
           "policy_results":{{"allowed":{allowed}}},"metadata":{{"username":"alice"}},
           "entity_id":"d19ad2d9-b984-6e79-757a-2c2f089ac38c","token_type":"service""#,
        hmac(100),
        hmac(101)
    )
}

/// A line of this kind; `request` and `rest` are what follows.
pub(crate) fn line(kind: &str, auth: &str, request: &str, rest: &str) -> String {
    format!(
        r#"{{"time":"2026-11-23T22:21:39.992797261Z","type":"{kind}","auth":{{{auth}}},
           "request":{{"id":"b1886ae9-6e15-33fb-41b3-7a48ded2a043","mount_point":"secret/","mount_type":"kv",
           "namespace":{{"id":"root"}},"remote_address":"127.0.0.1","remote_port":47572,{request}}}{rest}}}"#
    )
}
