//! The table in `docs/autoscaling.md`, between two marks; the rest of the file is people's.

use std::fmt::Write;
use std::path::Path;

use super::comparison::{Comparison, OURS};
use super::report::{percent, terms, wait};
use super::summary::{self, TOLERATED, in_time, summaries};
use crate::failure::{Failure, Result};
use crate::output;

const BEGIN: &str = "<!-- replay:begin -->";
const END: &str = "<!-- replay:end -->";

/// Puts the comparison into the file.
pub(super) fn write(file: &Path, comparisons: &[Comparison]) -> Result {
    let wrong = |what: String| Failure::problems(format!("{}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("could not be read: {error}")))?;
    let text = between(&text, &markdown(comparisons))
        .ok_or_else(|| wrong(format!("has no {BEGIN} with {END} below it")))?;
    std::fs::write(file, text).map_err(|error| wrong(format!("could not be written: {error}")))?;
    output::note(&format!("wrote the comparison of {} traces to {}", comparisons.len(), file.display()));
    Ok(())
}

/// The text with new content between the marks.
fn between(text: &str, content: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{content}\n{END}{after}"))
}

fn markdown(comparisons: &[Comparison]) -> String {
    let mut text = String::new();
    let seeds = comparisons.first().map_or(0, |it| it.seeds.len());
    let _ = write!(
        text,
        "Written by `insightdesk scale replay --table`; means over {seeds} seeds. In time: at most {:.0} % of the jobs late \
         beyond those that are late with all replicas (`static-max`). Cost: replica-seconds over the least that could have \
         been paid; over all traces the geometric mean. Bold: the cheapest in time.\n\n",
        TOLERATED * 100.0
    );
    text.push_str("| policy | in time | cost | actions/h |\n| --- | --- | --- | --- |\n");
    for summary in summaries(comparisons) {
        let name = named(&summary.name, false);
        let _ = writeln!(
            text,
            "| {name} | {} of {} | {:.2} | {:.0} |",
            summary.in_time, summary.of, summary.cost, summary.actions_per_hour
        );
    }
    for comparison in comparisons {
        one(&mut text, comparison);
    }
    text
}

fn one(text: &mut String, comparison: &Comparison) {
    let _ = write!(text, "\n### {}\n\n{}.\n\n", comparison.trace, terms(comparison));
    text.push_str(
        "| policy | late | in time | p99 wait | cost | actions/h |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let cheapest = summary::cheapest(comparison).map(|row| row.name.as_str());
    for row in &comparison.rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.2} | {:.0} |",
            named(&row.name, cheapest == Some(&row.name)),
            percent(row.outcome.late_share),
            if in_time(comparison, row) { "yes" } else { "no" },
            wait(row),
            row.outcome.cost_ratio,
            row.outcome.actions_per_hour
        );
    }
}

fn named(name: &str, bold: bool) -> String {
    let name = if name == OURS { format!("{name} (ours)") } else { name.to_owned() };
    if bold { format!("**{name}**") } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::comparison;
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = format!("# Ours\n{BEGIN}\nold\n{END}\nmore\n");
        let text = between(&text, "new\n").unwrap();
        assert_eq!(text, format!("# Ours\n{BEGIN}\n\nnew\n\n{END}\nmore\n"));
        assert_eq!(between(&text, "new\n").unwrap(), text);
        assert!(between("no marks", "new").is_none());
        assert!(between(&format!("{END} {BEGIN}"), "new").is_none());
    }

    #[test]
    fn every_policy_has_a_row_and_the_cheapest_in_time_is_bold() {
        let text = markdown(&[comparison(&[("insightdesk", 0.0, 1.5), ("keda", 0.3, 1.2)])]);
        assert!(text.contains("| insightdesk (ours) | 1 of 1 | 1.50 | 10 |"), "{text}");
        assert!(text.contains("| **insightdesk (ours)** | 0.0 % | yes | 0 ms | 1.50 | 10 |"), "{text}");
        assert!(text.contains("| keda | 30.0 % | no | 0 ms | 1.20 | 10 |"), "{text}");
    }
}
