use ops_contract::Stack;

/// A short fingerprint of a stack: equal stacks, equal fingerprints. Tells whether the stack file has changed.
pub fn stack_hash(stack: &Stack) -> String {
    // FNV-1a: stable over releases of Rust, and nobody gains by forging it.
    let json = serde_json::to_vec(stack).unwrap_or_default();
    let hash = json.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
