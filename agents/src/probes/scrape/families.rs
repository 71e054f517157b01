//! What an answer says of its metrics: type, help, unit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ops_samples::exposition::{Entry, Format, Parser};
use ops_samples::frames::Metadata;

use crate::samples::Writer;

/// The server keeps it in memory only, so it is told again after this time.
const AGAIN_MS: i64 = 600_000;
/// With new series it is told sooner, but not with each answer: some targets have new ones each time.
const NEW_MS: i64 = 60_000;
/// Most metrics of a target that are told of.
const MOST: usize = 10_000;

/// When it was last told.
#[derive(Default)]
pub(super) struct Families {
    told: Option<(u128, i64)>,
}

#[derive(Default)]
struct Family<'a> {
    kind: &'a str,
    help: Cow<'a, str>,
    unit: &'a str,
}

impl Families {
    /// Tells it, if that is due. The answer is one that was read without a fault.
    pub(super) fn tell(&mut self, writer: &mut Writer<'_>, answer: (&[u8], Format), added: u64, at_ms: i64) {
        let pause = if added > 0 { NEW_MS } else { AGAIN_MS };
        if self.told.is_some_and(|(session, told)| session == writer.session() && at_ms - told < pause) {
            return;
        }
        self.told = Some((writer.session(), at_ms));
        for (metric, family) in read(answer) {
            let Family { kind, help, unit } = family;
            writer.metadata(&Metadata { metric: &metric, kind, help: &help, unit });
        }
    }
}

fn read<'a>((body, format): (&'a [u8], Format)) -> BTreeMap<Cow<'a, str>, Family<'a>> {
    let mut families: BTreeMap<Cow<'_, str>, Family<'_>> = BTreeMap::new();
    let mut parser = Parser::new(body, format);
    while let Some(Ok(entry)) = parser.next_expecting(&[]) {
        if families.len() >= MOST {
            break;
        }
        match entry {
            Entry::Help(name, help) => families.entry(name).or_default().help = help,
            Entry::Type(name, kind) => families.entry(name).or_default().kind = kind,
            Entry::Unit(name, unit) => families.entry(name).or_default().unit = unit,
            Entry::Series(_) => {}
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_help_and_unit_come_together() {
        let body =
            b"# HELP a_total so many\\nof them\n# TYPE a_total counter\na_total 1\n# TYPE b gauge\nb 2\n";
        let families = read((body, Format::Text));
        let of = |name: &str| families.get(name).map(|it| (it.kind, it.help.as_ref(), it.unit));
        assert_eq!(of("a_total"), Some(("counter", "so many\nof them", "")));
        assert_eq!(of("b"), Some(("gauge", "", "")));
        let body = b"# TYPE t_seconds gauge\n# UNIT t_seconds seconds\nt_seconds 1\n# EOF\n";
        let families = read((body, Format::OpenMetrics));
        assert_eq!(families.get("t_seconds").map(|it| (it.kind, it.unit)), Some(("gauge", "seconds")));
    }
}
