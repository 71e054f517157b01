/// Asks for an operator's token; posts the field `token` to `/login`. `error` says why the last try failed.
pub fn login_page(_error: Option<&str>, _nonce: &str) -> String {
    String::new()
}

/// Asks whether to sign in by a one-time link; posts the field `code` to `/login`, so that a look-ahead of a mail
/// program does not use it up.
pub fn confirm_link_page(_code: &str, _nonce: &str) -> String {
    String::new()
}
