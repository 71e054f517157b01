use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use ops_audit::anchor::Anchor;
use ops_audit::export::{End, Header, Line, Row};
use ops_audit::hash::Hash;
use ops_audit::key::PublicKey;

use crate::store::{self, Store, audit as table};
use crate::{App, clock};

/// Entries, and signed states or anchors, that are read at once.
const AT_ONCE: u32 = 500;

/// The log up to now as lines of an export, signed first. Ends with an error when the store stops answering: a file
/// without its end line is known to be cut.
pub(crate) async fn export(
    app: &Arc<App>,
) -> anyhow::Result<impl Stream<Item = anyhow::Result<Bytes>> + use<>> {
    app.audit.seal_now(&app.store).await?;
    let reader = Reader::open(&app.store).await?;
    let mut keys: Vec<PublicKey> = Vec::new();
    for key in table::keys(&mut *app.store.connection().await?).await? {
        keys.extend(key.parse::<PublicKey>().ok());
    }
    let header = Header::new(&app.audit.origin, keys, clock::now().0 / 1_000);
    let first = text(&[Line::Header(header)]);
    let app = Arc::clone(app);
    let pieces = futures::stream::unfold(Some(reader), move |reader| {
        let app = Arc::clone(&app);
        async move {
            let mut reader = reader?;
            match reader.next(&app.store).await {
                Ok(lines) if lines.is_empty() => {
                    Some((Ok(text(&[Line::End(End { entries: reader.next_seq })])), None))
                }
                Ok(lines) => Some((Ok(text(&lines)), Some(reader))),
                Err(error) => Some((Err(error.into()), None)),
            }
        }
    });
    let first = futures::stream::iter([Ok(first)]);
    Ok(futures::StreamExt::chain(first, pieces))
}

fn text(lines: &[Line]) -> Bytes {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text.into()
}

/// Reads the log in the order in which it is verified: entries, and after each what was signed or laid down at that size.
/// Holds a bounded part of it, however long the log is.
pub(super) struct Reader {
    pub(super) next_seq: u64,
    end: u64,
    rows: VecDeque<table::Row>,
    seals: VecDeque<table::Sealed>,
    anchors: VecDeque<((i64, i64, String), Anchor)>,
    rows_from: u64,
    seals_from: (i64, i64),
    anchors_from: (i64, i64, String),
    /// The last of each that there was in the beginning.
    last_seal: (i64, i64),
    last_anchor: (i64, i64),
    /// Rows whose columns say something else than their bodies.
    pub(super) misfiled: Vec<u64>,
}

impl Reader {
    /// All up to the end of now.
    pub(super) async fn open(store: &Store) -> store::Result<Self> {
        let mut db = store.connection().await?;
        // What is signed or laid down is read before the end is: an honest log is never shorter than it.
        let last_seal = table::last_checkpoint(&mut db).await?;
        let last_seal =
            last_seal.map_or((-1, 0), |it| (i64::try_from(it.size).unwrap_or(i64::MAX), it.time_ms));
        let last_anchor = table::newest_anchor(&mut db).await?.unwrap_or((-1, 0));
        let end = table::head(&mut db).await?.size();
        Ok(Self {
            next_seq: 0,
            end,
            rows: VecDeque::new(),
            seals: VecDeque::new(),
            anchors: VecDeque::new(),
            rows_from: 0,
            seals_from: (-1, i64::MIN),
            anchors_from: (-1, i64::MIN, String::new()),
            last_seal,
            last_anchor,
            misfiled: Vec::new(),
        })
    }

    /// The next lines; none at the end.
    pub(super) async fn next(&mut self, store: &Store) -> store::Result<Vec<Line>> {
        let mut lines = Vec::new();
        while lines.len() < AT_ONCE as usize {
            self.refill(store).await?;
            let Some(line) = self.take() else { break };
            lines.push(line);
        }
        Ok(lines)
    }

    async fn refill(&mut self, store: &Store) -> store::Result<()> {
        if self.rows.is_empty() && self.rows_from < self.end {
            let mut db = store.connection().await?;
            self.rows = table::rows(&mut db, self.rows_from, self.end, AT_ONCE).await?.into();
            self.rows_from = self.rows.back().map_or(self.end, |it| positive(it.seq) + 1);
        }
        if self.seals.is_empty() && self.seals_from < self.last_seal {
            let mut db = store.connection().await?;
            self.seals = table::checkpoints_after(&mut db, self.seals_from, AT_ONCE).await?.into();
            let key = |it: &table::Sealed| (i64::try_from(it.size).unwrap_or(i64::MAX), it.time_ms);
            self.seals_from = self.seals.back().map_or(self.last_seal, key);
            let last = self.last_seal;
            self.seals.retain(|it| key(it) <= last);
        }
        if self.anchors.is_empty() && (self.anchors_from.0, self.anchors_from.1) < self.last_anchor {
            let mut db = store.connection().await?;
            self.anchors = table::anchors_after(&mut db, self.anchors_from.clone(), AT_ONCE).await?.into();
            let (size, time_ms) = self.last_anchor;
            let key = self.anchors.back().map(|(key, _)| key.clone());
            self.anchors_from = key.unwrap_or((size, time_ms, "~".to_owned()));
            self.anchors.retain(|((it, at, _), _)| (*it, *at) <= (size, time_ms));
        }
        Ok(())
    }

    /// What comes next: a signed state or an anchor of what was read so far, else an entry, else what claims more entries.
    fn take(&mut self) -> Option<Line> {
        let seal = self.seals.front().map(|it| (i64::try_from(it.size).unwrap_or(i64::MAX), it.time_ms));
        let anchor = self.anchors.front().map(|((size, time_ms, _), _)| (*size, *time_ms));
        let read = i64::try_from(self.next_seq).unwrap_or(i64::MAX);
        let due = |it: Option<(i64, i64)>| it.is_some_and(|(size, _)| size <= read);
        if !due(seal)
            && !due(anchor)
            && let Some(row) = self.rows.pop_front()
        {
            let seq = positive(row.seq);
            if !is_filed(&row) {
                self.misfiled.push(seq);
            }
            self.next_seq = seq + 1;
            return Some(Line::Row(line(&row, seq)));
        }
        // Of one size and time the seal comes first: the anchor is a copy of it.
        let seal_first = seal.is_some_and(|seal| anchor.is_none_or(|anchor| seal <= anchor));
        if seal_first {
            return self.seals.pop_front().map(|it| Line::Checkpoint(it.checkpoint));
        }
        self.anchors.pop_front().map(|(_, anchor)| Line::Anchor(anchor))
    }
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn line(row: &table::Row, seq: u64) -> Row {
    let hash = |text: &str| Hash::parse(text).unwrap_or(Hash([0; 32]));
    let body = row.body.as_ref().map(|_| row.bytes().unwrap_or_default());
    Row::stored(seq, hash(&row.leaf), hash(&row.link), body.as_deref())
}

/// Whether the columns that serve to find an entry say what it says.
fn is_filed(row: &table::Row) -> bool {
    let Some(entry) = row.entry() else { return true };
    let device = match &entry.source {
        ops_audit::entry::Source::Own => None,
        ops_audit::entry::Source::External { device, .. } => Some(device),
    };
    row.time_ms == entry.time_ms
        && row.actor == entry.actor.name
        && row.action == entry.action
        && row.subject == entry.subject
        && row.device.as_ref() == device
        && store::word(&entry.outcome).is_ok_and(|outcome| outcome == row.outcome)
}
