//! What must hold of a scrape, whichever file it is written in.

use ops_contract::{Relabel, RelabelAction};
use ops_samples::relabel::{self, Action, Step};

/// Every action of relabelling.
pub(crate) const ACTIONS: [RelabelAction; 11] = [
    RelabelAction::Replace,
    RelabelAction::Keep,
    RelabelAction::Drop,
    RelabelAction::KeepEqual,
    RelabelAction::DropEqual,
    RelabelAction::HashMod,
    RelabelAction::LabelMap,
    RelabelAction::LabelDrop,
    RelabelAction::LabelKeep,
    RelabelAction::Lowercase,
    RelabelAction::Uppercase,
];

/// Whether a text is a path that can be asked for.
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.len() <= 1024 && text.chars().all(|it| it.is_ascii_graphic() && it != '#')
}

/// What keeps a step from being used.
pub(crate) fn check_step(step: &Relabel) -> Result<(), String> {
    let step = Step {
        action: Action::named(step.action.as_str()).unwrap_or_default(),
        source_labels: &step.source_labels,
        separator: &step.separator,
        regex: &step.regex,
        modulus: step.modulus,
        target_label: &step.target_label,
        replacement: &step.replacement,
    };
    relabel::Relabel::new([step]).map(drop).map_err(|(_, error)| error.to_string())
}
