use std::collections::BTreeMap;

use crate::reader::quoted;
use crate::section::Section;

/// A table of labels and their values.
pub(super) fn read(section: &Section<'_, '_>, key: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (name, at) in section.texts(key) {
        match check(&name, &at.value) {
            Ok(()) => {
                labels.insert(name, at.value);
            }
            Err(problem) => section.reader.wrong(&at, problem, "use letters, digits and _, no digit first"),
        }
    }
    labels
}

/// What keeps a label from being one that a configuration may set.
pub(crate) fn check(name: &str, value: &str) -> Result<(), String> {
    let plain = !name.is_empty()
        && name.len() <= 200
        && !name.starts_with(|it: char| it.is_ascii_digit())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    if !plain {
        return Err(format!("{} cannot name a label", quoted(name)));
    }
    if value.len() > 4096 {
        return Err(format!("the value of label {} is longer than 4096 bytes", quoted(name)));
    }
    Ok(())
}
