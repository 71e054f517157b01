//! Rubbish for everything that reads. Nothing panics, and nothing that was changed is good.

use ops_audit::anchor::{Anchor, HighWater};
use ops_audit::chain::Head;
use ops_audit::checkpoint::{Checkpoint, Signed};
use ops_audit::entry::Entry;
use ops_audit::export::{self, Line};
use ops_audit::key::{LocalKey, PublicKey};
use ops_audit::merkle::Frontier;
use ops_audit::note::Note;
use ops_audit::receipt::Receipt;
use ops_audit::verify::{Trust, Verifier};

use crate::log::*;

/// SplitMix64: the same rubbish in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// The text with some bytes changed, removed, repeated or put elsewhere.
    fn mutate(&mut self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(3) {
            if text.is_empty() {
                break;
            }
            let (from, length) = (self.below(text.len()), self.below(60));
            let to = (from + length).min(text.len());
            match self.below(6) {
                0 => text[from] ^= 1 << self.below(8),
                1 => text[from] = b"0123456789aA\"\\{}[]:,-.e\n \0\xff"[self.below(26)],
                2 => drop(text.drain(from..to)),
                3 => {
                    let piece = text[from..to].to_vec();
                    let at = self.below(text.len());
                    text.splice(at..at, piece);
                }
                4 => text.truncate(from),
                _ => {
                    let length = self.below(20);
                    let piece = self.bytes(length);
                    text.splice(from..from, piece);
                }
            }
        }
        text
    }
}

fn read_all(bytes: &[u8]) {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode().unwrap(), bytes, "what decodes is canonical");
    }
    let _ = export::parse(bytes).map(|line| line.to_string());
    let _ = Receipt::parse(bytes).map(|receipt| receipt.verify(ORIGIN, &[]));
    let _ = serde_json::from_slice::<Frontier>(bytes);
    let _ = serde_json::from_slice::<Head>(bytes);
    let _ = serde_json::from_slice::<Anchor>(bytes);
    let _ = serde_json::from_slice::<HighWater>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text, "what parses is the only way to write it");
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.text(), text, "what parses is the only way to write it");
    }
    let _ = Signed::parse(text);
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    let _ = LocalKey::from_secret_text(text);
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    let mut random = Random(1);
    let mut log = Log::usual();
    let signed = log.seal();
    let mut lines = log.export();
    let samples: Vec<Vec<u8>> = vec![
        Vec::new(),
        entry(&mut lines, 7).encode().unwrap(),
        lines[at(&lines, 7)].to_string().into_bytes(),
        signed.to_string().into_bytes(),
        signed.checkpoint.text().into_bytes(),
        log.first_key.to_string().into_bytes(),
        log.key.to_secret_text().into_bytes(),
        serde_json::to_vec(&log.head).unwrap(),
        serde_json::to_vec(&log.anchors[0]).unwrap(),
        serde_json::to_vec(&log.high_water()).unwrap(),
    ];
    for sample in &samples {
        read_all(sample);
        for _ in 0..2000 {
            read_all(&random.mutate(sample));
        }
    }
    for _ in 0..2000 {
        let length = random.below(400);
        read_all(&random.bytes(length));
    }
}

/// What is protected. A checkpoint less is no change as long as those around it are near enough.
fn protected(text: &[u8]) -> Option<Vec<Line>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines: Vec<Line> = lines.map(export::parse).collect::<Result<_, _>>().ok()?;
    Some(lines.into_iter().filter(|line| matches!(line, Line::Row(_))).collect())
}

#[test]
fn an_export_that_was_changed_anywhere_is_good_only_if_it_says_the_same() {
    let log = Log::usual();
    let original = text(&log.export());
    let said = protected(original.as_bytes());
    let (mut random, mut good) = (Random(2), 0);
    for _ in 0..3000 {
        let changed = random.mutate(original.as_bytes());
        let mut verifier = Verifier::of_export(log.trust());
        let mut rest = changed.as_slice();
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((random.below(2000) + 1).min(rest.len()));
            verifier.feed(head);
            rest = tail;
        }
        if verifier.finish().is_good() {
            good += 1;
            assert_eq!(protected(&changed), said, "{}", String::from_utf8_lossy(&changed));
        }
    }
    // Changed white space and header times are no change of the log; everything else is.
    assert!(good < 300, "{good} of 3000 changed exports were good");
}

#[test]
fn every_single_bit_of_entries_and_checkpoints_counts() {
    let mut log = Log::new();
    log.entries(2);
    let signed = log.seal();
    log.anchors.push(Anchor {
        place: PLACE.to_owned(),
        written_ms: log.now_ms,
        checkpoint: signed.to_string(),
    });
    let lines = log.export();
    assert!(verify(&lines, log.trust()).is_good());
    let (before, after) = (text(&lines[..1]), text(&lines[4..]));
    let mut protected = text(&lines[1..4]).into_bytes();
    for bit in 0..protected.len() * 8 {
        protected[bit / 8] ^= 1 << (bit % 8);
        let changed = [before.as_bytes(), &protected, after.as_bytes()].concat();
        let verdict = verify_text(&changed, log.trust());
        assert!(verdict.is_faulty(), "bit {bit}: {}", String::from_utf8_lossy(&changed));
        protected[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn lines_in_any_order_never_panic_and_are_good_in_one_order_only() {
    let log = Log::usual();
    let lines = log.export();
    let mut random = Random(3);
    for _ in 0..300 {
        let mut shuffled = lines.clone();
        for _ in 0..=random.below(6) {
            let (one, other) = (random.below(lines.len()), random.below(lines.len()));
            let length = shuffled.len();
            match random.below(3) {
                0 => shuffled.swap(one % length, other % length),
                1 => drop(shuffled.remove(one % length)),
                _ => shuffled.insert(one % length, lines[other].clone()),
            }
        }
        if verify(&shuffled, log.trust()).is_good() {
            assert_eq!(protected(text(&shuffled).as_bytes()), protected(text(&lines).as_bytes()));
        }
    }
}

#[test]
fn numbers_at_the_edge_do_not_overflow() {
    let log = Log::usual();
    let seq = |seq: u64| log.lines[0].to_string().replace("\"seq\":0", &format!("\"seq\":{seq}"));
    let mut lines = vec![];
    for number in [ops_audit::MAX_SEQ, ops_audit::MAX_SEQ - 1, ops_audit::MAX_SEQ + 1, u64::MAX, 1, 0] {
        lines.push(seq(number));
        lines.push(log.lines[0].to_string().replace("\"time_ms\":1", "\"time_ms\":-9"));
    }
    for number in [i64::MIN, i64::MAX] {
        let header = export::Header::new(ORIGIN, Vec::new(), number);
        let mut text = format!("{}\n", Line::Header(header));
        text.push_str(&lines.join("\n"));
        for as_of_ms in [None, Some(i64::MIN), Some(i64::MAX)] {
            let verdict = verify_text(text.as_bytes(), Trust { as_of_ms, ..log.trust() });
            assert!(verdict.is_faulty());
        }
    }
}
