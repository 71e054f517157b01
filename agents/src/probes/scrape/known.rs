use ops_samples::exposition::{Cache, Entry, Format, Found, Parser, Series};
use ops_samples::relabel::Relabel;
use ops_samples::{Labels, LabelsBuilder, NAME};

use super::answer::Failure;
use super::families::Families;
use super::plan::Plan;
use crate::samples::{Samples, Writer};

/// The series of one target, each known by its text.
#[derive(Default)]
pub(super) struct Known {
    session: u128,
    cache: Cache<One>,
    /// What an answer says, until it is known to be good as a whole.
    said: Vec<(u32, i64, f64)>,
    metric_relabel: Relabel,
    families: Families,
}

/// One of them.
#[derive(Clone, Copy)]
enum One {
    /// Relabelling drops it, or there are too many.
    Dropped,
    /// Its number.
    Plain(u32),
    /// The same, and it tells its own times, so it is not said to have ended.
    Timed(u32),
}

impl One {
    fn new(number: Option<u32>, timed: bool) -> Self {
        match number {
            None => Self::Dropped,
            Some(number) if timed => Self::Timed(number),
            Some(number) => Self::Plain(number),
        }
    }

    fn number(self) -> Option<u32> {
        match self {
            Self::Dropped => None,
            Self::Plain(number) | Self::Timed(number) => Some(number),
        }
    }
}

/// What an answer had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) scraped: u64,
    pub(super) kept: u64,
    pub(super) added: u64,
}

impl Known {
    pub(super) fn new(metric_relabel: Relabel) -> Self {
        Self { metric_relabel, ..Self::default() }
    }

    /// Writes what an answer says; nothing of it when any of it is wrong.
    pub(super) fn write(
        &mut self,
        samples: &Samples,
        plan: &Plan,
        body: &[u8],
        format: Format,
        at_ms: i64,
    ) -> Result<Counts, Failure> {
        self.follow(samples.writer().session());
        self.cache.begin();
        self.said.clear();
        let counts = self.read(samples, plan, body, format, at_ms)?;
        let mut writer = samples.writer();
        if writer.session() != self.session {
            return Err(Failure::Content("its series are numbered anew".to_owned()));
        }
        // Not kept until the next answer: with many targets it would be memory for nothing.
        for (number, at_ms, value) in std::mem::take(&mut self.said) {
            writer.sample(number, at_ms, value);
        }
        self.cache.finish(|one| end(&mut writer, one, at_ms));
        self.families.tell(&mut writer, (body, format), counts.added, at_ms);
        Ok(counts)
    }

    /// Says that all of them have ended.
    pub(super) fn end(&mut self, samples: &Samples, at_ms: i64) {
        let mut writer = samples.writer();
        self.follow(writer.session());
        self.cache.clear(|one| end(&mut writer, one, at_ms));
    }

    /// In another session the numbers mean nothing.
    fn follow(&mut self, session: u128) {
        if self.session != session {
            self.session = session;
            self.cache.clear(|_| {});
        }
    }

    fn read(
        &mut self,
        samples: &Samples,
        plan: &Plan,
        body: &[u8],
        format: Format,
        at_ms: i64,
    ) -> Result<Counts, Failure> {
        let mut parser = Parser::new(body, format);
        let mut counts = Counts::default();
        while let Some(entry) = parser.next_expecting(self.cache.expected()) {
            let entry = entry.map_err(|error| Failure::Content(error.to_string()))?;
            let Entry::Series(series) = entry else { continue };
            counts.scraped += 1;
            let time = series.at_ms.filter(|_| plan.honor_timestamps);
            let one = match self.cache.find(&series) {
                Found::Known(one) => {
                    *one = One::new(one.number(), time.is_some());
                    *one
                }
                // The same series twice for one time: the first counts.
                Found::Again(_) if time.is_none() => continue,
                Found::Again(one) => *one,
                Found::New => {
                    let labels = self.labels(plan, &series);
                    let labels =
                        labels.map_err(|it| Failure::Content(format!("line {}: {it}", parser.line())))?;
                    let number = labels.and_then(|labels| samples.writer().define(&labels));
                    counts.added += u64::from(number.is_some());
                    let one = One::new(number, time.is_some());
                    self.cache.insert(series.raw, one);
                    one
                }
            };
            if let Some(number) = one.number() {
                counts.kept += 1;
                self.said.push((number, time.unwrap_or(at_ms), series.value));
            }
            if plan.sample_limit > 0 && counts.kept > plan.sample_limit {
                return Err(Failure::Content(format!("more than {} samples", plan.sample_limit)));
            }
        }
        Ok(counts)
    }

    /// The labels under which a series is kept, if it is.
    fn labels(&self, plan: &Plan, series: &Series<'_>) -> Result<Option<Labels>, String> {
        let pairs = series.pairs().map_err(|reason| reason.to_string())?;
        let mut labels = LabelsBuilder::default();
        for (name, value) in &pairs {
            labels.set(name.as_ref(), value.as_ref());
        }
        for (name, value) in &plan.labels {
            match labels.get(name).map(str::to_owned) {
                Some(_) if plan.honor_labels => continue,
                Some(theirs) => {
                    let mut exported = format!("exported_{name}");
                    while labels.get(&exported).is_some() || plan.labels.get(&exported).is_some() {
                        exported.insert_str(0, "exported_");
                    }
                    labels.set(exported, theirs);
                }
                // An empty one says that the series has none, where its labels win.
                None if plan.honor_labels && pairs.iter().any(|(it, _)| it == name) => continue,
                None => {}
            }
            labels.set(name, value);
        }
        if !self.metric_relabel.apply(&mut labels) {
            return Ok(None);
        }
        if labels.get(NAME).is_none() {
            return Err("relabelling takes the series' name away".to_owned());
        }
        labels.build().map(Some).map_err(|error| error.to_string())
    }
}

fn end(writer: &mut Writer<'_>, one: One, at_ms: i64) {
    match one {
        One::Plain(number) => writer.end(number, at_ms),
        One::Timed(number) => writer.forget(number),
        One::Dropped => {}
    }
}
