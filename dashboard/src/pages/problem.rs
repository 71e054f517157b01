use ops_contract::Problem;

/// What went wrong, for people.
pub fn problem_page(_problem: &Problem, _nonce: &str) -> String {
    String::new()
}
