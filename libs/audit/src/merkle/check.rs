//! Checks proofs. This is what keeps a lying log out: nothing may be left over, nothing may lack.

use crate::hash::{self, Hash};

/// A proof that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No such leaf, or the trees are in the wrong order.
    #[error("the proof is about something outside the tree")]
    OutOfRange,
    /// It has more or fewer hashes than a proof between these sizes.
    #[error("the proof has the wrong number of hashes")]
    WrongLength,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// Checks that `leaf` is number `index` in the tree of `size` leaves with this root.
///
/// # Errors
/// When the proof does not show that.
pub fn check_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let mut walk = Walk { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match walk.up()? {
            Side::Left => hash::node(sibling, &hash),
            Side::Right => hash::node(&hash, sibling),
        };
    }
    walk.end()?;
    if hash == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// Checks that the tree of `size` leaves with `root` begins with the tree of `old` leaves with `old_root`.
///
/// # Errors
/// When the proof does not show that.
pub fn check_consistency(
    old: u64,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > size {
        return Err(ProofError::OutOfRange);
    }
    if old == 0 || old == size {
        let expected = if old == size { *root } else { hash::empty_root() };
        return match (proof.is_empty(), *old_root == expected) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::WrongRoot),
            (true, true) => Ok(()),
        };
    }
    let (first, rest) = match proof.split_first() {
        None => return Err(ProofError::WrongLength),
        // A full subtree is its own start: the proof leaves it out.
        Some(_) if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
    };
    let full = (old - 1).trailing_ones();
    let mut walk = Walk { node: (old - 1) >> full, last: (size - 1) >> full };
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in rest {
        match walk.up()? {
            Side::Left => {
                old_hash = hash::node(sibling, &old_hash);
                hash = hash::node(sibling, &hash);
            }
            Side::Right => hash = hash::node(&hash, sibling),
        }
    }
    walk.end()?;
    if old_hash == *old_root && hash == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// On which side of the walked node its sibling stands.
enum Side {
    Left,
    Right,
}

/// Way from a node to the root, as numbers within the level: `fn` and `sn` of RFC 9162.
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    fn up(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::WrongLength);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node without a sibling is promoted until it has one on its left.
            let promoted = if self.node == 0 { 0 } else { self.node.trailing_zeros() };
            self.node >>= promoted;
            self.last >>= promoted;
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    const fn end(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::WrongLength) }
    }
}
