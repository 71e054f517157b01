#![allow(clippy::unwrap_used)]

use super::*;
use crate::hash::{self, Hash};

// Test data of Certificate Transparency: eight leaves and the root of each tree.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
/// Index from 0, size, proof.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];
/// Old size, size, proof.
const CONSISTENCY: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        7,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hash_of(hex: &str) -> Hash {
    Hash(bytes(hex).try_into().unwrap())
}

fn hashes(hex: &[&str]) -> Vec<Hash> {
    hex.iter().map(|hex| hash_of(hex)).collect()
}

fn leaves() -> Vec<Hash> {
    LEAVES.iter().map(|leaf| hash::leaf(&bytes(leaf))).collect()
}

/// A tree that is known in full.
struct Tree(Vec<Hash>);

impl Tree {
    fn of(size: u64) -> Self {
        Self((0..size).map(|n| hash::leaf(&n.to_be_bytes())).collect())
    }

    fn root(&self, size: u64) -> Hash {
        root(self.0[..usize::try_from(size).unwrap()].iter().copied())
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        inclusion(index, size, |range| self.subtree(range)).unwrap()
    }

    fn consistency(&self, old: u64, size: u64) -> Vec<Hash> {
        consistency(old, size, |range| self.subtree(range)).unwrap()
    }

    fn subtree(&self, range: std::ops::Range<u64>) -> Result<Hash, ProofError> {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Ok(root(self.0[range].iter().copied()))
    }
}

#[test]
fn roots_and_proofs_are_those_of_certificate_transparency() {
    let tree = Tree(leaves());
    let mut frontier = Frontier::default();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(frontier.root(), hash_of(expected), "size {size}");
        if let Some(leaf) = tree.0.get(size) {
            frontier.push(*leaf);
        }
    }
    let root = |size: u64| hash_of(ROOTS[usize::try_from(size).unwrap()]);
    for (index, size, proof) in INCLUSION {
        assert_eq!(tree.inclusion(index, size), hashes(proof));
        let leaf = tree.0[usize::try_from(index).unwrap()];
        check_inclusion(index, size, &leaf, &hashes(proof), &root(size)).unwrap();
    }
    for (old, size, proof) in CONSISTENCY {
        assert_eq!(tree.consistency(old, size), hashes(proof));
        check_consistency(old, size, &root(old), &root(size), &hashes(proof)).unwrap();
    }
}

#[test]
fn every_leaf_and_every_older_tree_of_small_trees_is_proven_and_nothing_else() {
    let tree = Tree::of(40);
    for size in 1..=40 {
        let root = tree.root(size);
        for index in 0..size {
            let leaf = tree.0[usize::try_from(index).unwrap()];
            let proof = tree.inclusion(index, size);
            assert!(proof.len() < MAX_PROOF);
            check_inclusion(index, size, &leaf, &proof, &root).unwrap();
            for (wrong_index, wrong_size) in [(index ^ 1, size), (index + 1, size), (index, index)] {
                let _ = check_inclusion(wrong_index, wrong_size, &leaf, &proof, &root).unwrap_err();
            }
            for bad in damaged(&proof, root) {
                let _ = check_inclusion(index, size, &leaf, &bad, &root).unwrap_err();
            }
        }
        for old in 0..=size {
            let (old_root, proof) = (tree.root(old), tree.consistency(old, size));
            check_consistency(old, size, &old_root, &root, &proof).unwrap();
            let _ = check_consistency(size + 1, size, &old_root, &root, &proof).unwrap_err();
            for bad in damaged(&proof, root) {
                let _ = check_consistency(old, size, &old_root, &root, &bad).unwrap_err();
            }
            let strange = hash::leaf(b"strange");
            let _ = check_consistency(old, size, &strange, &root, &proof).unwrap_err();
            // Nothing is a start of everything.
            assert_eq!(check_consistency(old, size, &old_root, &strange, &proof).is_ok(), old == 0);
        }
    }
}

/// The proof with one hash more, less, changed or exchanged.
fn damaged(proof: &[Hash], root: Hash) -> Vec<Vec<Hash>> {
    let mut bad = Vec::new();
    for extra in [root, Hash([0; 32])] {
        for at in 0..=proof.len() {
            let mut longer = proof.to_vec();
            longer.insert(at, extra);
            bad.push(longer);
        }
    }
    for at in 0..proof.len() {
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        bad.push(shorter);
        let mut changed = proof.to_vec();
        changed[at].0[31] ^= 1;
        bad.push(changed);
        if at > 0 && proof[at] != proof[at - 1] {
            let mut swapped = proof.to_vec();
            swapped.swap(at, at - 1);
            bad.push(swapped);
        }
    }
    bad
}

#[test]
fn the_proof_of_the_newest_leaf_comes_from_the_frontier_alone() {
    let tree = Tree::of(70);
    let mut frontier = Frontier::default();
    for (index, leaf) in (0..).zip(&tree.0) {
        assert_eq!(frontier.proof_of_next(), tree.inclusion(index, index + 1));
        frontier.push(*leaf);
    }
}

#[test]
fn a_stored_frontier_comes_back_and_an_impossible_one_does_not() {
    let mut frontier = Frontier::default();
    for leaf in Tree::of(13).0 {
        frontier.push(leaf);
        let json = serde_json::to_string(&frontier).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&json).unwrap(), frontier);
    }
    let peaks = frontier.peaks().to_vec();
    assert!(Frontier::from_peaks(13, peaks.clone()).is_ok());
    assert_eq!(
        Frontier::from_peaks(12, peaks.clone()),
        Err(FrontierError::WrongPeaks { size: 12, found: 3 })
    );
    assert_eq!(Frontier::from_peaks(u64::MAX, peaks), Err(FrontierError::TooLarge));
}

#[test]
fn a_leaf_made_of_two_hashes_does_not_pass_for_their_node() {
    let leaves = leaves();
    let mut both = leaves[0].0.to_vec();
    both.extend(leaves[1].0);
    let forged = hash::leaf(&both);
    let two = root(leaves[..2].iter().copied());
    assert_ne!(forged, two);
    assert_eq!(check_inclusion(0, 1, &forged, &[], &two), Err(ProofError::WrongRoot));
}

#[test]
fn a_root_is_no_leaf_of_its_own_tree() {
    let two = root(leaves()[..2].iter().copied());
    assert_eq!(check_inclusion(0, 2, &two, &[], &two), Err(ProofError::WrongLength));
    assert_eq!(check_consistency(1, 2, &two, &two, &[]), Err(ProofError::WrongLength));
}

#[test]
fn trees_as_large_as_a_log_may_be_do_not_overflow() {
    let leaf = hash::leaf(b"x");
    let size = crate::MAX_SEQ + 1;
    for index in [0, 1, size - 1] {
        let proof = inclusion(index, size, |_| Ok::<_, ProofError>(leaf)).unwrap();
        assert_eq!(proof.len(), 53);
        assert_eq!(check_inclusion(index, size, &leaf, &proof, &leaf), Err(ProofError::WrongRoot));
    }
    let proof = consistency(size - 1, size, |_| Ok::<_, ProofError>(leaf)).unwrap();
    assert!(proof.len() <= MAX_PROOF);
    for (index, size) in [(u64::MAX - 1, u64::MAX), (u64::MAX, u64::MAX), (0, u64::MAX), (0, 0)] {
        let _ = check_inclusion(index, size, &leaf, &[leaf; 100], &leaf).unwrap_err();
        let _ = check_consistency(index, size, &leaf, &leaf, &[leaf; 100]).unwrap_err();
    }
}
