//! Computes leaf hashes, links and the tree again, and looks at what the log itself must know of its entries.

use super::Verifier;
use super::finding::Kind;
use crate::chain;
use crate::entry::{Entry, action};
use crate::export::{Body, Row};
use crate::hash::{self, Hash};
use crate::merkle::Frontier;
use crate::statement::{Statement, keeps_its_body};

/// What was computed so far.
pub(super) struct Chain {
    /// Link of the last entry.
    pub(super) link: Hash,
    /// None once it can no longer be known: numbers are missing, or it is not the tree that was signed.
    pub(super) tree: Option<Frontier>,
    /// Leaf hash of the last entry.
    pub(super) last_leaf: Option<Hash>,
    /// Latest time of an entry or checkpoint.
    pub(super) floor_ms: i64,
    /// Something was found since the last good checkpoint: that explains why the next one does not fit.
    pub(super) damaged: bool,
    /// After a link that did not follow: what was computed there.
    other: Option<Hash>,
    buffer: Vec<u8>,
}

impl Chain {
    pub(super) fn new(genesis: Hash) -> Self {
        Self {
            link: genesis,
            tree: Some(Frontier::default()),
            last_leaf: None,
            floor_ms: i64::MIN,
            damaged: false,
            other: None,
            buffer: Vec::new(),
        }
    }
}

impl Verifier {
    /// Takes the next row, or one after a gap.
    pub(super) fn take(&mut self, row: Row) {
        self.leave();
        let gap = row.seq > self.order.next;
        if gap {
            self.seals.skip(self.order.next, row.seq);
            self.order.skip(row.seq);
            self.chain.tree = None;
            self.chain.damaged = true;
        }
        let sound = self.check_hash(&row);
        self.check_link(&row, gap || !sound);
        // From here on with what is stored. If it was right, the next checkpoint says so; if not, it was found above.
        self.chain.last_leaf = Some(row.leaf);
        if let Some(tree) = &mut self.chain.tree {
            tree.push(row.leaf);
        }
        self.order.next = row.seq.saturating_add(1);
        match row.body {
            Body::Entry(entry) if sound => self.look(&entry),
            Body::Entry(_) | Body::Bytes(_) => self.retention.kept(row.seq),
            Body::Dropped => self.dropped(row.seq),
        }
    }

    /// Computes the link; a fault that is found already is not found again.
    fn check_link(&mut self, row: &Row, is_found: bool) {
        let computed = chain::link(row.seq, &self.chain.link, &row.leaf);
        let other = self.chain.other.take();
        // Perhaps only the stored link before was changed: then this one follows from the one that was computed.
        let follows = computed == row.link
            || other.is_some_and(|other| chain::link(row.seq, &other, &row.leaf) == row.link);
        if !follows {
            if !is_found {
                let detail = "its link does not follow from its hash and the link before";
                self.findings.fault(Kind::Edited, row.seq, detail);
            }
            self.chain.damaged = true;
            self.chain.other = Some(computed);
        }
        self.chain.link = row.link;
    }

    /// Whether the body has the hash that is stored.
    fn check_hash(&mut self, row: &Row) -> bool {
        let (leaf, number) = match &row.body {
            Body::Dropped => return true,
            Body::Entry(entry) => match entry.encode_into(&mut self.chain.buffer) {
                Ok(()) => (hash::leaf(&self.chain.buffer), entry.seq),
                Err(error) => return self.unsound(Kind::NotCanonical, row.seq, error.to_string()),
            },
            // What decodes came as an entry.
            Body::Bytes(bytes) => {
                let why = Entry::decode(bytes).err().map(|error| error.to_string()).unwrap_or_default();
                return self.unsound(Kind::NotCanonical, row.seq, why);
            }
        };
        if number != row.seq {
            let detail = format!("the entry that stands here says that it is number {number}");
            return self.unsound(Kind::Reordered, row.seq, detail);
        }
        if leaf != row.leaf {
            return self.unsound(
                Kind::Edited,
                row.seq,
                "it does not have the hash that is stored".to_owned(),
            );
        }
        true
    }

    fn unsound(&mut self, kind: Kind, seq: u64, detail: String) -> bool {
        self.findings.fault(kind, seq, detail);
        self.chain.damaged = true;
        false
    }

    fn look(&mut self, entry: &Entry) {
        if entry.time_ms < self.chain.floor_ms {
            let back = self.chain.floor_ms.saturating_sub(entry.time_ms);
            let detail = format!("it is dated {back} ms before what stands before it");
            self.findings.fault(Kind::ClockBackwards, entry.seq, detail);
        } else {
            self.chain.floor_ms = entry.time_ms;
        }
        self.seals.since(entry.time_ms);
        if entry.action == action::START {
            self.seals.restarted = true;
        }
        if keeps_its_body(&entry.action) {
            self.statement(entry);
        } else {
            self.retention.kept(entry.seq);
        }
    }

    fn statement(&mut self, entry: &Entry) {
        let read = Statement::read(entry, &self.origin, self.keys.in_force(entry.seq))
            .map(|read| read.map(|(statement, key)| (statement, key.clone())));
        match read {
            Ok(None) => {}
            Ok(Some((Statement::Handover { to }, from))) => self.keys.hand_over(&from, *to, entry.seq),
            Ok(Some((Statement::Retention { below, before_ms }, _))) => {
                self.retention.permit(below.min(entry.seq), before_ms);
            }
            Err(error) => self.findings.fault(Kind::BadStatement, entry.seq, error.to_string()),
        }
    }
}
