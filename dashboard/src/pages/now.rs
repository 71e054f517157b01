use ops_contract::NowView;

/// The first page: what is broken, since when, why, what changed.
pub fn now_page(_view: &NowView, _nonce: &str) -> String {
    String::new()
}
