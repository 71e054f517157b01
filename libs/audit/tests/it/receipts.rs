//! A receipt is checked with public keys alone; and an anchor with a proof.

use ops_audit::anchor::{Judgement, judge};
use ops_audit::hash::{self, Hash};
use ops_audit::key::Signer as _;
use ops_audit::merkle::{self, ProofError};
use ops_audit::receipt::{Receipt, ReceiptError};

use crate::log::*;

fn leaves(log: &Log) -> Vec<Hash> {
    log.lines.iter().filter_map(row_of).map(|row| row.leaf).collect()
}

fn subtree(leaves: &[Hash], range: std::ops::Range<u64>) -> Result<Hash, ProofError> {
    let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
    Ok(merkle::root(leaves[range].iter().copied()))
}

fn receipt(log: &mut Log, seq: u64) -> Receipt {
    let leaves = leaves(log);
    let proof = merkle::inclusion(seq, log.head.size(), |range| subtree(&leaves, range)).unwrap();
    let leaf = leaves[usize::try_from(seq).unwrap()];
    Receipt { seq, leaf, proof, checkpoint: log.seal().to_string() }
}

#[test]
fn a_receipt_proves_its_entry_and_no_other() {
    let mut log = Log::usual();
    let keys = [log.first_key.clone()];
    for seq in 0..23 {
        let receipt = receipt(&mut log, seq);
        let again = Receipt::parse(serde_json::to_string(&receipt).unwrap().as_bytes()).unwrap();
        assert_eq!(again, receipt);
        assert_eq!(receipt.verify(ORIGIN, &keys).unwrap().size, 23);
        let mut lines = log.export();
        assert!(receipt.is_of(entry(&mut lines, seq)));
        assert!(!receipt.is_of(entry(&mut lines, (seq + 1) % 23)));
        let other = Receipt { seq: seq + 1, ..receipt };
        assert!(!other.is_of(entry(&mut lines, seq)));
    }
}

#[test]
fn the_newest_entry_gets_its_receipt_from_the_head_alone() {
    let mut log = Log::usual();
    let proof = log.head.tree.proof_of_next();
    let entry = log.append(draft("secret.read", "jwt_secret"));
    let leaf = hash::leaf(&entry.encode().unwrap());
    let receipt = Receipt { seq: entry.seq, leaf, proof, checkpoint: log.seal().to_string() };
    receipt.verify(ORIGIN, std::slice::from_ref(&log.first_key)).unwrap();
    assert!(receipt.is_of(&entry));
}

#[test]
fn a_receipt_that_was_touched_proves_nothing() {
    let mut log = Log::usual();
    let keys = [log.first_key.clone()];
    let good = receipt(&mut log, 7);
    let changes: [fn(&mut Receipt); 7] = [
        |r| r.seq += 1,
        |r| r.leaf.0[0] ^= 1,
        |r| r.proof[0].0[0] ^= 1,
        |r| r.proof.push(r.proof[0]),
        |r| r.proof.insert(0, r.leaf),
        |r| r.proof.truncate(r.proof.len() - 1),
        |r| r.checkpoint = r.checkpoint.replacen("\n23\n", "\n22\n", 1),
    ];
    for change in changes {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(bad.verify(ORIGIN, &keys).is_err(), "{bad:?}");
    }
    let strange = [key(66).public().clone()];
    assert!(matches!(good.verify(ORIGIN, &strange), Err(ReceiptError::Checkpoint(_))));
    assert!(matches!(good.verify("other", &keys), Err(ReceiptError::Checkpoint(_))));
    assert!(Receipt::parse(&vec![b' '; 40_000]).is_err());
}

#[test]
fn an_anchor_is_judged_by_a_consistency_proof() {
    let mut log = Log::usual();
    let leaves = leaves(&log);
    let now = log.seal().checkpoint;
    let old = log.anchors[0].open().unwrap().checkpoint;
    let proof = merkle::consistency(old.size, now.size, |range| subtree(&leaves, range)).unwrap();
    assert_eq!(judge(&old, &now, &proof), Judgement::Continues);
    assert_eq!(judge(&old, &now, &[]), Judgement::Rewritten);
    assert_eq!(judge(&now, &old, &proof), Judgement::BeyondLog);
    assert_eq!(judge(&now, &now, &[]), Judgement::Continues);
    let mut other = now.clone();
    other.root.0[0] ^= 1;
    assert_eq!(judge(&other, &now, &[]), Judgement::SplitView);
    other.origin = "other".to_owned();
    assert_eq!(judge(&other, &now, &[]), Judgement::WrongOrigin);
}
